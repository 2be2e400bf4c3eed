"""What may take a seat in a committee."""
