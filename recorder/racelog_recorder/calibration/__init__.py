"""How exact this machine's own stamps are, measured before a race against a server that knows the truth."""
