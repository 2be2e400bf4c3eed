"""Asking the teacher: which tasks, in which order, for how much money, kept for ever."""
