"""One race's log laid out as columns. Pure; no database."""
