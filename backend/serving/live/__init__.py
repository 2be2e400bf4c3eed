"""Inside /predict: question, loaded models, teacher within a time budget, preload, readiness."""
