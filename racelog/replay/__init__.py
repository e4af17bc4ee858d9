"""Replay: events become state, at any instant, by any route, always the same. No screen, no files."""
