"""The routes of the web server; what they do is elsewhere."""
