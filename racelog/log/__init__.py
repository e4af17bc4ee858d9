"""The log: bytes to units to events and back. No network, no screen, no conclusions."""
