"""Which dialects there are: ours by one entry each below, anybody's by the entry-point group ``racelog.dialects``.

Names are known without an import; a module is imported when its dialect is asked for. What other packages add is looked at when a
name is not one of ours, or when all are listed; what is broken is told and left out (`racelog.plugins`).
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from racelog.plugins import Group

if TYPE_CHECKING:  # names for --help, which loads no parser
    from racelog_recorder.dialects.dialect import Dialect

BUILTIN = {
    "openai-chat": "racelog_recorder.dialects.openai:CHAT",
    "openai-completions": "racelog_recorder.dialects.openai:COMPLETIONS",
    "ollama": "racelog_recorder.dialects.ollama:OLLAMA",
}
"""The dialects that come with racelog: name -> where it is, as an entry point says it. The first is the default."""

DEFAULT_DIALECT = next(iter(BUILTIN))


class _Dialects(Mapping[str, "Dialect"]):
    """Every dialect by name, ours first. Cost of one of ours: its import, once; of another: what is installed is read too."""

    def __getitem__(self, name: str) -> "Dialect":
        """Return a dialect.

        Raises:
            KeyError: there is none of that name.
            PluginError: the package that adds it is broken.
        """
        return _ours(name) if name in BUILTIN else GROUP.load(name)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of those that can be used; what cannot is told once."""
        yield from BUILTIN
        yield from GROUP.load_all()

    def __len__(self) -> int:
        return len(list(iter(self)))


@cache
def _ours(name: str) -> "Dialect":
    module, _, attribute = BUILTIN[name].partition(":")
    dialect: Dialect = getattr(import_module(module), attribute)
    return dialect


def _checked(name: str, found: object) -> "Dialect":
    """Return what a package adds under ``name``; raise `TypeError` or `ValueError` if it is no dialect."""
    from racelog_recorder.dialects.guard import checked  # noqa: PLC0415 - as above

    return checked(name, found)


GROUP = Group("racelog.dialects", _checked, frozenset(BUILTIN))
"""The dialects of other packages."""

DIALECTS: Mapping[str, "Dialect"] = _Dialects()


def dialect_names() -> list[str]:
    """Return the names of all dialects, ours first, without importing one: of the others, what is declared."""
    return [*BUILTIN, *GROUP.installed()]
