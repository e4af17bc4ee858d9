"""racelog: the flight recorder for LLM serving.

The names below load on first use, so that ``import racelog`` costs nothing.

    >>> import racelog
    >>> log = racelog.open("recorder/racelog_recorder/demo/demo.rlog")
    >>> sorted(facts.engine for facts in log.lanes.values())
    ['llama.cpp', 'vLLM']
    >>> con = racelog.connect("latest")  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from racelog.log.read.stream import LogStream as stream  # noqa: N813 - likewise
    from racelog.opening import open_race as open  # noqa: A004 - `racelog.open` reads as the promise it makes
    from racelog.query.connection.connect import connect

__all__ = ["__version__", "connect", "open", "stream"]

_HOMES = {
    "open": ("racelog.opening", "open_race"),
    "stream": ("racelog.log.read.stream", "LogStream"),
    "connect": ("racelog.query.connection.connect", "connect"),
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'racelog' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - nothing heavier than the interpreter at import time

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
