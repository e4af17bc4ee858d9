"""The player without a terminal: keys and clock in, scenes out."""
