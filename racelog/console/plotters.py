"""What makes a picture of a plot: entry points by the suffix of the file, for the core draws nothing itself."""

from typing import Protocol

from racelog.console.plots import Plot
from racelog.plugins import Group, a_function

GROUP = "racelog.plotters"


class Plotter(Protocol):
    """Returns a plot as the bytes of a picture."""

    def __call__(self, plot: Plot) -> bytes:
        """Draw the plot."""
        ...


PLOTTERS: Group[Plotter] = Group(GROUP, a_function("plot(plot) -> bytes"))
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
