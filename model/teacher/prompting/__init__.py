"""From texts to requests and back: prompts, examples, narrowing, answers, tokens."""
