"""Cards: a race's result as a picture."""
