"""A lane: a process of its own that races one engine."""
