"""What the ways of training a student are worth."""
