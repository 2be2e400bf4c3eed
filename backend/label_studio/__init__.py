"""Label Studio's language and API: label configs, annotations, predictions, connections."""
