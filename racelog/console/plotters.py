"""What makes a picture of a plot: entry points by the suffix of the file, for the core draws nothing itself."""

from typing import Protocol

from racelog.console.plots import Plot
from racelog.plugins import Group

GROUP = "racelog.plotters"


class Plotter(Protocol):
    """Returns a plot as the bytes of a picture."""

    def __call__(self, plot: Plot) -> bytes:
        """Draw the plot."""
        ...


def _plotter(suffix: str, found: object) -> Plotter:
    """Return what an entry point gives as a plotter.

    Raises:
        TypeError: it cannot be called.
    """
    if not callable(found):
        raise TypeError(f"{suffix} is no function plot(plot) -> bytes")
    return found


PLOTTERS = Group(GROUP, _plotter)
"""Suffix of the file, without its dot -> what draws it."""


def plot_picture(plot: Plot, suffix: str) -> bytes:
    """Return the plot as a picture for a file of that suffix.

    Raises:
        KeyError: nothing installed draws such files.
        PluginError: what does cannot be loaded, or fails.
    """
    draw = PLOTTERS.load(suffix)
    with PLOTTERS.running(suffix):
        return draw(plot)
