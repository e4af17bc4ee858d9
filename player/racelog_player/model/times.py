"""Positions in a race: what users may write for one, and how one is shown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.errors import InputError
from racelog.views.moments import KINDS, Moment

_FORMS = "10s, 1m23.4s, 01:23, 250ms, 50% or end"
_UNITS_NS = {"h": 3600 * NS_PER_S, "m": 60 * NS_PER_S, "s": NS_PER_S, "ms": NS_PER_MS}
_NUMBER = r"\d+(?:\.\d+)?"
_PARTS = re.compile(rf"({_NUMBER})(ms|h|m|s)")
_UNITS = re.compile(rf"(?:{_NUMBER}h)?(?:{_NUMBER}m(?!s))?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?")
_COLONS = re.compile(r"(?:(\d+):)?(\d+):([0-5]?\d(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a race that may not be known yet: so many nanoseconds in, or a share of the whole."""

    text: str
    ns: int = 0
    share: float | None = None

    def within(self, duration_ns: int) -> int:
        """Return nanoseconds from the start of a race of ``duration_ns``.

        Raises:
            InputError: the race is over before then.
        """
        if self.share is not None:
            return round(self.share * duration_ns)
        if self.ns > duration_ns:
            raise InputError(
                f"position {self.text} lies after the end of the race at {clock_text(duration_ns)}; use end for its end"
            )
        return self.ns


def parse_position(text: str) -> Position:
    """Return the position that ``10s``, ``1m23.4s``, ``01:23``, ``250ms``, ``50%``, ``start`` or ``end`` names.

    A bare number is seconds.

    Raises:
        InputError: it is none of these.
    """
    word = text.strip().lower()
    if word in ("start", "end"):
        return Position(text, share=float(word == "end"))
    if re.fullmatch(rf"{_NUMBER}%", word):
        share = float(word[:-1]) / 100
        if share > 1:
            raise InputError(f"position {text} lies after the end of the race; 100% is its end")
        return Position(text, share=share)
    if re.fullmatch(_NUMBER, word):
        return Position(text, ns=round(float(word) * NS_PER_S))
    if colons := _COLONS.fullmatch(word):
        hours, minutes, seconds = (float(part or 0) for part in colons.groups())
        return Position(text, ns=round((hours * 3600 + minutes * 60 + seconds) * NS_PER_S))
    if word and _UNITS.fullmatch(word):
        return Position(text, ns=sum(round(float(n) * _UNITS_NS[unit]) for n, unit in _PARTS.findall(word)))
    raise InputError(f"no position {text!r}; write it like {_FORMS}")


def parse_target(text: str, here_ns: int, end_ns: int, moments: Sequence[Moment]) -> int:
    """Return the position a "go to" names: a time, a share, ``+250ms`` or ``-5s`` from here, or ``@finish``.

    After ``@`` stands a moment's kind, or words out of it; the next one after here counts, else the first there is.

    Raises:
        InputError: it is none of these, or there is no such moment.
    """
    word = text.strip()
    if word[:1] in ("+", "-"):
        step = parse_position(word[1:]).within(max(end_ns, 1 << 62))
        return max(0, min(end_ns, here_ns + (step if word[0] == "+" else -step)))
    if word[:1] == "@":
        wanted = word[1:].strip().lower()
        there = [one for one in moments if wanted and (wanted == one.kind or wanted in one.text.lower())]
        if not there:
            kinds = ", ".join(f"@{kind}" for kind in KINDS)
            raise InputError(f"no moment {word!r} in this race; kinds are {kinds}, or @ and words")
        return next((one for one in there if one.position_ns > here_ns), there[0]).position_ns
    return parse_position(word).within(end_ns)


def parse_span(text: str) -> tuple[Position, Position]:
    """Return the two ends of a stretch such as ``10s..20s``, ``25%..50%`` or ``1m..end``.

    Raises:
        InputError: it is none.
    """
    first, dots, last = text.partition("..")
    if not dots:
        raise InputError(f"no stretch {text!r}; write it like 10s..20s")
    return parse_position(first or "start"), parse_position(last or "end")


def clock_text(ns: int) -> str:
    """Return a position as a clock shows it: ``00:12.345``, ``1:02:03.400``."""
    milliseconds = max(0, ns) // NS_PER_MS
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"{head}:{rest // 1000:02d}.{rest % 1000:03d}"
