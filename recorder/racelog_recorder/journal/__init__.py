"""The recording side of the log: facts in, units out."""
