"""The player on a terminal: raw mode, keys, mouse and frames."""
