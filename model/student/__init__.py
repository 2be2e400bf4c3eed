"""The student: encoder, head, training, loading and saving."""
