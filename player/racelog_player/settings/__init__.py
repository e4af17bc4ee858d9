"""What the user chose, and the keys."""
