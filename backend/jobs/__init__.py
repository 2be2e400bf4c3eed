"""RQ jobs: thin and restartable."""
