"""The entry point of pictures of queries: loads what draws them when the first is asked for."""

from racelog.console.plots import Plot
from racelog_cards.backend import load


def plot_png(plot: Plot) -> bytes:
    """Return the plot as a PNG; equal plots give equal bytes. Cost: the first time, matplotlib loaded."""
    load()
    from racelog_cards.plot import plot_png as draw  # noqa: PLC0415 - only once matplotlib can be loaded

    return draw(plot)
