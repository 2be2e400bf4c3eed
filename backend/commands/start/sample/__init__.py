"""Reads a sample file and brings it into Label Studio."""
