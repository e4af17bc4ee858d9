"""The command line of playing: flags into one run of the player."""
