"""How an engine is spoken to: one module a dialect, and what they share."""
