"""The web process: app, login, middleware, webhook inbox, metrics."""
