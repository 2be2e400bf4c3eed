"""Teachers: whatever proposes candidate sets."""
