"""How long each step of a request may take, and which step took too long.

`Stopwatch` is plain arithmetic over instants that it is told; `enforce` is the one task per request that sleeps until
the next deadline could be broken. A token costs neither of them anything: the sink counts it and keeps its arrival,
and a deadline that falls due looks there first.
"""

import time
from collections.abc import Callable
from typing import Protocol

import trio
from msgspec import Struct

from racelog.clock import NS_PER_S

MAX_DEADLINE_S = 24 * 3600


class Deadlines(Struct, frozen=True, kw_only=True):
    """Seconds each step may take; a broken one fails the request with a kind of its own.

    ``connect_s`` from asking for a connection to having it (DNS, TCP, TLS); ``headers_s`` from sent to the status
    line (as long as ``first_token_s``, for some servers send the one with the other); ``first_token_s`` from sent to
    the first token chunk; ``between_tokens_s`` from one token chunk to the next, or to the end; ``total_s`` from
    asking for a connection (or from when it is due, for a request made ready ahead of its time) to the last byte.
    """

    connect_s: float = 10.0
    headers_s: float = 120.0
    first_token_s: float = 120.0
    between_tokens_s: float = 30.0
    total_s: float = 600.0


DEADLINE_NAMES = tuple(name.removesuffix("_s") for name in Deadlines.__struct_fields__)
"""The names of the deadlines as a plan has them."""

DEFAULTS = ", ".join(f"{name} {getattr(Deadlines(), f'{name}_s'):g}s" for name in DEADLINE_NAMES)


class Arrivals(Protocol):
    """Where tokens are counted: how many chunks with tokens came, and when the last did (monotonic ns)."""

    @property
    def token_chunks(self) -> int:
        """Token chunks so far."""
        ...

    @property
    def last_token_ns(self) -> int:
        """Arrival of the last of them on ``CLOCK_MONOTONIC``; meaningless before the first."""
        ...


class Stopwatch:
    """One request's steps in trio seconds; `overdue` says which deadline is broken, if one is."""

    def __init__(self, deadlines: Deadlines, arrivals: Arrivals, now_s: float) -> None:
        self._deadlines = deadlines
        self._arrivals = arrivals
        self._shortest_s = min(deadlines.headers_s, deadlines.first_token_s, deadlines.between_tokens_s)
        self._began_s = now_s
        self._sent_s: float | None = None
        self._headers = False
        self._seen_chunks = 0
        self._last_token_s = 0.0

    def begin(self, now_s: float) -> None:
        """Count the whole from here: a request that is held back until it is due has not begun."""
        self._began_s = now_s

    def sent(self, now_s: float) -> None:
        """The request was handed to the kernel; again, if it had to be sent again."""
        self._sent_s = now_s

    def headers(self) -> None:
        """The status line is in."""
        self._headers = True

    def due_s(self, now_s: float) -> float:
        """Return when to look again: no deadline is broken before, not even of a step that has yet to begin."""
        return min(now_s + self._shortest_s, *(at_s for at_s, _, _ in self._limits(now_s)))

    def overdue(self, now_s: float) -> tuple[str, str] | None:
        """Return the (error kind, message) of the deadline that was broken first by ``now_s``, or None."""
        at_s, kind, message = min(self._limits(now_s))
        return (kind, message) if at_s <= now_s else None

    def _limits(self, now_s: float) -> list[tuple[float, str, str]]:
        """Return (instant, kind, message) of the deadlines that run: of the whole, and of the present step."""
        limits, chunks = self._deadlines, self._arrivals.token_chunks
        total = (
            self._began_s + limits.total_s,
            "timeout",
            f"no end within {limits.total_s:g} s (deadlines.total), after {_chunks(chunks)}",
        )
        if self._sent_s is None:  # connecting is the transport's to limit
            return [total]
        if chunks:
            at_s = self._last_token(chunks, now_s) + limits.between_tokens_s
            message = f"no token for {limits.between_tokens_s:g} s (deadlines.between_tokens), after {_chunks(chunks)}"
            return [total, (at_s, "stalled", message)]
        first = (
            self._sent_s + limits.first_token_s,
            "first_token_timeout",
            f"no token within {limits.first_token_s:g} s (deadlines.first_token)",
        )
        status = (
            self._sent_s + limits.headers_s,
            "headers_timeout",
            f"no status line within {limits.headers_s:g} s (deadlines.headers)",
        )
        return [total, first] if self._headers else [total, status]

    def _last_token(self, chunks: int, now_s: float) -> float:
        """Return when the last token chunk came; its age is taken from its stamp once, when it is news."""
        if chunks != self._seen_chunks:
            age_ns = max(0, time.monotonic_ns() - self._arrivals.last_token_ns)
            self._seen_chunks, self._last_token_s = chunks, now_s - age_ns / NS_PER_S
        return self._last_token_s


def _chunks(count: int) -> str:
    return f"{count:,} token chunk{'' if count == 1 else 's'}"


async def enforce(watch: Stopwatch, expired: Callable[[tuple[str, str]], None]) -> None:
    """Sleep from deadline to deadline; call ``expired`` with what was broken, once, and return."""
    while (broken := watch.overdue(trio.current_time())) is None:  # noqa: ASYNC110 - tokens come without an event
        await trio.sleep_until(watch.due_s(trio.current_time()))
    expired(broken)
