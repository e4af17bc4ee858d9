"""How work on a large log tells how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as (what is being done, done so far, all there is); often, so it must cost next to nothing."""


def silent(_doing: str, _done: int, _total: int) -> None:
    """Tell nobody."""
