"""Weak supervision: what teacher, similar texts and human labels say together about every row."""
