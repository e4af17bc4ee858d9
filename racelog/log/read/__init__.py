"""The ways to read a log: whole, a stretch, as it grows, as it flows by, or exactly."""
