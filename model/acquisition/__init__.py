"""Which tasks deserve the next LLM call, or the next human minute: scores, spread, rules."""
