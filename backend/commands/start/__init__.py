"""Everything that `shortlist start` runs: supervisor, Redis, Label Studio, web server, worker."""
