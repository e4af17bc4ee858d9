"""What every importer fills in: a run as its tool's file tells it. What the file does not say stays None."""

from dataclasses import dataclass, field
from math import floor
from typing import Any, Literal

from racelog.clock import NS_PER_S
from racelog.errors import InputError
from racelog.events import Phase

MOST_SECONDS = 1 << 32
"""Instants beyond it (the year 2106 on the calendar's clock) are taken for damage."""

Chunk = tuple[int, str, str, int | None, str]
"""(t in ns of the tool's clock, kind code, text, tokens, stamp code); codes as in `racelog.events`."""


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. Instants are ns of the tool's clock; ``prompt`` is its number in the file, where prompts have any."""

    sent_ns: int
    end_ns: int
    status: Literal["ok", "failed", "cancelled"] = "ok"
    scheduled_ns: int | None = None
    headers_ns: int | None = None
    http_status: int | None = None
    chunks: list[Chunk] = field(default_factory=list)
    messages: list[dict[str, Any]] | None = None
    prompt: int | None = None
    phase: Phase = "race"
    params: dict[str, Any] = field(default_factory=dict)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    total_tokens: int | None = None
    error: str = ""
    message: str = ""
    finish_reason: str = ""


@dataclass(slots=True, kw_only=True)
class Track:
    """One lane: the requests of one run against one server. ``kept`` is as in `racelog.events.LaneFacts`."""

    label: str
    model: str
    calls: list[Call]
    url: str = ""
    dialect: str = "openai-chat"
    kept: Literal["all", "ends"] = "all"
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One result of a file that holds several: its number from 1, of how many, and its own bytes."""

    number: int
    of: int
    content: bytes


@dataclass(slots=True, kw_only=True)
class Run:
    """Everything a file, or one result in it, tells. ``anchor`` is one instant as (the tool's monotonic clock, the calendar), both in ns.

    ``wall`` says that the tool's clock is the calendar itself; ``date`` how the run is dated where neither is known.
    """

    tool: str
    version: str
    kind: str
    tracks: list[Track]
    wall: bool = False
    anchor: tuple[int, int] | None = None
    date: str = ""
    seed: int | None = None
    concurrency: int | None = None
    rate_per_s: float | None = None
    arrival: str = ""
    host: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    part: Part | None = None


def told_apart(labels: list[str]) -> list[str]:
    """Return names of lanes of which no two are alike: a repeated one has ``#2``, ``#3`` ... after it."""
    taken: set[str] = set()
    apart = []
    for label in labels:
        name, number = label, 1
        while name in taken:
            number += 1
            name = f"{label} #{number}"
        taken.add(name)
        apart.append(name)
    return apart


def seconds_ns(seconds: float, what: str) -> int:
    """Return seconds as nanoseconds.

    Raises:
        InputError: it is no instant of any clock; ``what`` names it in the message.
    """
    if not abs(seconds) < MOST_SECONDS:  # also refuses what is no number
        raise InputError(f"{what} is {seconds!r} s, which is not a time")
    whole = floor(seconds)  # apart, for a product of 1e18 is only exact to 256 ns
    return whole * NS_PER_S + round((seconds - whole) * NS_PER_S)
