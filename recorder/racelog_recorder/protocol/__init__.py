"""What the conductor and its processes say to each other."""
