"""Tools for tests of racelog and of what others build on it: races made of code, logs damaged on purpose."""
