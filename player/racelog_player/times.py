"""Positions in a race: what users may write for one, and how one is shown."""

import re
from dataclasses import dataclass

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.errors import InputError

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


def clock_text(ns: int) -> str:
    """Return a position as a clock shows it: ``00:12.345``, ``1:02:03.400``."""
    milliseconds = max(0, ns) // NS_PER_MS
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"{head}:{rest // 1000:02d}.{rest % 1000:03d}"
