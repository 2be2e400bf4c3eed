"""Commands that print the figures the README claims."""
