"""Loading matplotlib where the environment names a way to show figures that is not installed here.

Jupyter sets ``MPLBACKEND`` for every program that is started from a notebook, and matplotlib refuses to be imported where
it cannot find what that names. A card shows nothing on a screen.
"""

import logging
import os
import sys
from contextlib import suppress


def load() -> None:
    """Import matplotlib, once; what ``MPLBACKEND`` names stays in force for others if it is there."""
    if "matplotlib" in sys.modules:
        return
    named = os.environ.pop("MPLBACKEND", None)
    try:
        # What it says of folders it cannot write is no news: it goes on without them.
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        import matplotlib  # noqa: ICN001, PLC0415 - the point of this function
    finally:
        if named is not None:
            os.environ["MPLBACKEND"] = named
    if named is not None:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = named
