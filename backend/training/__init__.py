"""From pool to student: snapshot, encoder, evaluation, promotion, committee, stopping."""
