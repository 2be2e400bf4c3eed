"""Data sets, a person at Label Studio, a small LLM, waiting."""
