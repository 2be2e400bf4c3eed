"""The Label Studio side of Shortlist: HTTP, jobs, storage and people."""
