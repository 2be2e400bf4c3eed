"""Texts to vectors: load, run, cache, export."""
