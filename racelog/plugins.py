"""What other packages add to racelog: the entry points of a group, found without an import and loaded when asked for.

Names are unique within a group. A package cannot take one of racelog's own, and of two that give one name the first in
alphabetical order counts; the other is told. What cannot be loaded, or is not what its group asks for, is told once on
standard error and left out: it never takes the program down. What each group asks for: docs/plugins.md.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any, Generic, TypeVar

from racelog.display.text import printable
from racelog.errors import PluginError, RacelogError
from racelog.urls import without_url_secrets

OURS = "racelog"
PREFIX = "racelog."
UNKNOWN = "an unknown package"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point, not imported yet."""

    point: EntryPoint

    @property
    def name(self) -> str:
        """What users call it by."""
        return self.point.name

    @property
    def distribution(self) -> str:
        """The package that declares it. Cost: the first time, its metadata read."""
        return _package(self.point.dist)[0]

    @property
    def version(self) -> str:
        """The release of that package."""
        return _package(self.point.dist)[1]

    @property
    def is_ours(self) -> bool:
        """Whether racelog itself declares it."""
        return self.distribution == OURS

    def describe(self) -> str:
        """Return what it is and who declares it, for a message."""
        point = self.point
        release = f"{self.distribution} {self.version}".strip()
        return f"{point.name!r} of {release} ({point.group}, {point.value})"


@dataclass(frozen=True)
class Group(Generic[T]):
    """The plug-ins of one entry-point group, each of which ``check`` turns into a ``T``.

    ``check`` takes the name and what was loaded, and raises `TypeError` or `ValueError` with what is wrong with it.
    Names in ``reserved`` are taken by what racelog has without an entry point.
    """

    name: str
    check: Callable[[str, object], T]
    reserved: frozenset[str] = field(default=frozenset())

    def installed(self) -> Mapping[str, Plugin]:
        """Return what is declared, by name, in alphabetical order; imports nothing. Cost: the first time, 3 to 15 ms."""
        return installed(self.name, self.reserved)

    def load(self, name: str) -> T:
        """Return one plug-in, imported and checked.

        Raises:
            KeyError: none of that name is installed.
            PluginError: it cannot be loaded, or is not what the group asks for.
        """
        plugin = self.installed()[name]
        try:
            loaded = plugin.point.load()
        except (Exception, SystemExit) as error:
            raise PluginError(f"{plugin.describe()} cannot be loaded: {reason(error)}") from error
        try:
            return self.check(name, loaded)
        except Exception as error:
            why = str(error) if isinstance(error, TypeError | ValueError) else reason(error)
            raise PluginError(f"{plugin.describe()} cannot be used: {why}") from error

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Run the block on behalf of a plug-in: an error of another package's code names it.

        Raises:
            PluginError: the plug-in failed, but for what it said on purpose (`RacelogError`) or the system refused (`OSError`).
        """
        try:
            yield
        except (RacelogError, OSError):
            raise
        except (Exception, SystemExit) as error:
            plugin = self.installed()[name]
            if plugin.is_ours:
                raise
            raise PluginError(f"{plugin.describe()} failed: {reason(error)}") from error

    def load_all(self) -> Mapping[str, T]:
        """Return every plug-in that can be used, by name; those that cannot are told and left out. Cost: once."""
        return _usable(self)


@cache
def _usable(group: Group[T]) -> Mapping[str, T]:
    usable: dict[str, T] = {}
    for name in group.installed():
        try:
            usable[name] = group.load(name)
        except PluginError as error:
            tell(f"{error}; it is left out")
    return usable


@cache
def installed(group: str, reserved: frozenset[str] = frozenset()) -> Mapping[str, Plugin]:
    """Return the plug-ins of a group by name, in alphabetical order; imports none, and tells which names are taken."""
    named: dict[str, list[Plugin]] = {}
    for point in _points():
        if point.group == group:
            named.setdefault(point.name, []).append(Plugin(point))
    found: dict[str, Plugin] = {}
    for name, plugins in sorted(named.items()):
        first, *others = (
            plugins
            if len(plugins) == 1
            else sorted(plugins, key=lambda one: (not one.is_ours, one.distribution))
        )
        if name in reserved:
            others = [first, *others]
            winner = OURS
        else:
            found[name], winner = first, first.distribution
        for other in others:
            tell(f"{other.describe()} is left out: {winner} has that name")
    return found


def a_function(signature: str) -> Callable[[str, object], Any]:
    """Return the check of a group whose plug-ins are functions; ``signature`` says in an error how one looks."""

    def check(name: str, found: object) -> Any:
        if not callable(found):
            raise TypeError(f"{name} is no function {signature}")
        return found

    return check


def releases(group: str, reserved: frozenset[str] = frozenset()) -> list[str]:
    """Return name, package and release of every plug-in of a group: what a cache of its results is good for."""
    return [f"{one.name} {one.distribution} {one.version}" for one in installed(group, reserved).values()]


def reason(error: BaseException) -> str:
    """Return an error in one line, with its type where the text alone says little."""
    text = " ".join(str(error).split())
    return (
        text
        if text and isinstance(error, ImportError)
        else f"{type(error).__name__}: {text}".removesuffix(": ")
    )


@cache
def tell(problem: str) -> None:
    """Write one line to standard error, once; who has none to write to is not told."""
    line = f"racelog: {printable(without_url_secrets(problem))}\n"
    if _held:
        _held[-1].append(line)
        return
    with suppress(OSError, ValueError, AttributeError):  # closed, a broken pipe, or no standard error at all
        sys.stderr.write(line)


_held: list[list[str]] = []
"""For each block that has the screen, what is told when it ends."""


@contextmanager
def hold_what_is_told() -> Iterator[None]:
    """Tell what is told in the block when it ends: it has the whole screen, over which a line would be written."""
    _held.append([])
    try:
        yield
    finally:
        lines = _held.pop()
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.writelines(lines)


def forget() -> None:
    """Look again at what is installed, and tell of it again: for tests that install something."""
    _points.cache_clear()
    installed.cache_clear()
    _usable.cache_clear()
    tell.cache_clear()


@cache
def _points() -> tuple[EntryPoint, ...]:
    """Return the entry points of all of racelog's groups. Cost: every installed package's list is looked through."""
    found: dict[str, list[EntryPoint]] = {}
    for distribution in distributions():
        points = _points_of(distribution)
        if points:
            found.setdefault(
                _package(distribution)[0], points
            )  # as for imports, the first on the path counts
    return tuple(point for points in found.values() for point in points)


def _points_of(distribution: Distribution) -> list[EntryPoint]:
    """Return a package's entry points in racelog's groups; of one whose list cannot be read none, which is told."""
    try:
        if PREFIX not in (distribution.read_text("entry_points.txt") or ""):
            return []
        return [point for point in distribution.entry_points if point.group.startswith(PREFIX)]
    except Exception as error:  # noqa: BLE001 - one package's broken list is not to hide the others'
        package, version = _package(distribution)
        tell(f"the entry points of {package} {version} cannot be read: {reason(error)}; they are left out")
        return []


@cache
def _package(distribution: Distribution | None) -> tuple[str, str]:
    """Return a package's name as package indexes compare it, and its release; an entry point of none is racelog's own."""
    if distribution is None:
        return OURS, ""
    try:
        metadata = distribution.metadata
        name, version = str(metadata["Name"] or UNKNOWN), str(metadata["Version"] or "")
    except Exception:  # noqa: BLE001 - a package whose metadata are gone is still one that must be named
        return UNKNOWN, ""
    return name.lower().replace("_", "-").replace(".", "-"), version
