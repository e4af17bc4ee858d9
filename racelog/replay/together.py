"""Several races as one: their lanes side by side, each keeping its own clock. Pure."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from racelog.events import (
    AnyEvent,
    GpuSamples,
    HostSamples,
    LaneFacts,
    LaneStart,
    Prompt,
    RaceFacts,
    RequestScheduled,
    Unknown,
)
from racelog.replay.race import Align, RaceTracks

APART = 1_000_000
"""Prompts of one race are numbered so far from those of the next."""


def side_by_side(
    races: Sequence[tuple[str, Iterable[AnyEvent]]],
    align: Align = "start",
    only: frozenset[str] | None = None,
) -> RaceTracks:
    """Return one set of tracks for several races, each given as a label and its events; one race is as it is.

    Lanes are numbered through, an engine is called ``engine (label)``, and lanes meet at their own starts or first
    tokens: on the wall clock races of different days have nothing to say to each other, so each starts at 0 there.
    """
    if len(races) == 1:
        return RaceTracks(races[0][1], align, only)
    told: list[AnyEvent] = []
    lanes, names = 0, []
    for number, (label, events) in enumerate(races):
        known = list(events)
        start = min((event.t for event in known if isinstance(event, LaneStart)), default=0)
        own = [event for event in known if isinstance(event, LaneFacts)]
        facts = next((event for event in known if isinstance(event, RaceFacts)), None)
        names.append(facts.name if facts else label)
        told += _renamed(known, label, number, lanes, start)
        lanes += 1 + max((event.lane for event in own), default=-1)
    tracks = RaceTracks(told, align, only)
    if tracks.facts is not None:
        tracks.facts = msgspec.structs.replace(tracks.facts, name=" | ".join(dict.fromkeys(names)))
    return tracks


def _renamed(
    events: list[AnyEvent], label: str, number: int, lanes: int, start_ns: int
) -> Iterator[AnyEvent]:
    """Yield one race's events with lanes, prompts and devices numbered apart, and its first start at 0."""
    for event in events:
        if isinstance(event, Unknown):
            continue
        changes: dict[str, object] = {"t": event.t - start_ns}
        if (lane := getattr(event, "lane", None)) is not None:
            changes["lane"] = lane + lanes
        if isinstance(event, LaneFacts):
            changes["engine"] = f"{event.engine} ({label})"
        elif isinstance(event, Prompt | RequestScheduled):
            changes["prompt"] = event.prompt + number * APART
        elif isinstance(event, GpuSamples):
            changes["source"] = f"{event.source} ({label})"
        elif isinstance(event, HostSamples):
            changes["process"] = f"{event.process} ({label})"
        yield msgspec.structs.replace(event, **changes)
