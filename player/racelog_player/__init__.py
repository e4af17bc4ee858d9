"""Playing: a race, live or past, drawn in the terminal."""
