"""The learning side of Shortlist: texts, labels and tensors. No HTTP, SQL, Redis or Label Studio."""
