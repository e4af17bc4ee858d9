"""The race as running lines, for pipes and screen readers."""
