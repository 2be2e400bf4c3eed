"""Several small models vote; the teacher looks at what they disagree on (after AutoAnnotator, arXiv 2506.16393)."""
