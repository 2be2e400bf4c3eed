"""Pairs and search: the student against its rivals, and the sampling paper's rule on its own ground."""
