"""What Label Studio shows of a project."""
