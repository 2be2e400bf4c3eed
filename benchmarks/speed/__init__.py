"""Requests, training and pools by the clock."""
