"""A student that runs without Shortlist."""
