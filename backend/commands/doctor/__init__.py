"""Checks of the installation and of each project."""
