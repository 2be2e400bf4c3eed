"""Committee against LLM and single students."""
