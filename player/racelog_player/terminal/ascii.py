"""ASCII stand-ins for the signs we draw with: the core's, for panes and canvas."""

from racelog.signs import to_ascii

__all__ = ["to_ascii"]
