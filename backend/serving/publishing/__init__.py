"""By the publish job: push, settle, title, people's queue, pruning."""
