"""The core's own verbs: each parses its arguments, delegates, and prints."""
