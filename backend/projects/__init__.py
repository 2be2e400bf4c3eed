"""One project: options, versions, triggers, job; connect, pause, disconnect."""
