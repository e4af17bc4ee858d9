"""Rows of past races kept as files, so that a log is folded once."""
