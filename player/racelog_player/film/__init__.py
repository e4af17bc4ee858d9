"""The player's frames as files: pictures, casts and films."""
