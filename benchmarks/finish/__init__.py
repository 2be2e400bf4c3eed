"""What finishing a pool with a promise costs people, and whether the promise holds."""
