"""How a student is trained: data, options, loop, targets, losses, learners."""
