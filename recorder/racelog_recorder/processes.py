"""How racelog starts its own modules as processes."""

import sys


def own_process(module: str) -> list[str]:
    """Return the command that runs a module of racelog in a process of its own; its arguments follow.

    ``-P`` keeps the folder the user stands in off the path: a file there that is called like a module that racelog
    imports (``h2.py``, ``queue.py``) would be run in its place.
    """
    return [sys.executable, "-P", "-m", module]
