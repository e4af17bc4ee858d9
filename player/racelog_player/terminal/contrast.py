"""Colours measured: the core's, for themes."""

from racelog.colours import APART, TEXT_LEAST, apart, blend, contrast, distance, luminance, readable

__all__ = ["APART", "TEXT_LEAST", "apart", "blend", "contrast", "distance", "luminance", "readable"]
