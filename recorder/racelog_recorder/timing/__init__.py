"""Clocks and waiting, to the scheduler's own precision."""
