"""What people read: status, figures, charts, wording, report, export."""
