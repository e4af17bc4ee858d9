"""Writing files: a segment unit by unit, or a new file that takes its name when it is whole."""
