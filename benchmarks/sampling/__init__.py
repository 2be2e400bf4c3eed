"""Which tasks to ask about next."""
