"""Parts that the all-in-one command starts itself: Redis, Label Studio, worker, web server."""
