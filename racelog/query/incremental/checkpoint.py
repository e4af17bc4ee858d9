"""What is kept of a race that still grows: all that later rows need of what came before a position, and no more.

    position      every lane's fold and the story's rules as they stand there (`racelog.query.incremental.state_codec`)
    context       facts of the race and its lanes, orders, marks, prompts; chunks of requests that are not settled
    tail          events after the position that were read already

It holds as long as nothing comes that belongs before it; `overtaken` looks at all that came since.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from racelog.events import (
    AnyEvent,
    Calibration,
    Control,
    EngineSamples,
    Gap,
    GpuSamples,
    Head,
    HostSamples,
    LaneEnd,
    LaneFacts,
    LaneStart,
    Mark,
    Prompt,
    RaceFacts,
    RequestEnd,
    RequestEvent,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.log.format.codec import OrderedEvent, decode_events, encode_events
from racelog.replay.health import lane_process
from racelog.views.story.causes import reading_of

CONTEXT = Head | RaceFacts | LaneFacts | LaneStart | LaneEnd | Prompt | Mark | Control | Gap | Calibration
"""Kept as long as the race grows: few, but for the prompts."""


class Entries(msgspec.Struct, frozen=True):
    """Events with the keys they are ordered by, as bytes."""

    keys: list[tuple[int, int, int, int]]
    lines: bytes

    @classmethod
    def of(cls, entries: Iterable[OrderedEvent]) -> "Entries":
        """Store ``entries``."""
        listed = list(entries)
        return cls([entry[:4] for entry in listed], encode_events(entry[4] for entry in listed))

    def entries(self) -> list[OrderedEvent]:
        """Return what was stored.

        Raises:
            LogError: it is not whole.
        """
        events = decode_events(self.lines) if self.keys else []
        return [(*key, event) for key, event in zip(self.keys, events, strict=True)]


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A race up to a position: what is settled there, by lane, and what whoever goes on needs.

    ``until_ns`` is the instant of the position on each lane; ``ended`` the requests that had ended by then and whose
    rows are told, ``open`` those under way, ``sent`` those of them that were sent; ``token_t`` the instants of the last
    minute's token chunks. ``unprompted`` are prompts of told requests that the log did not hold.
    """

    position_ns: int
    step_ns: int
    until_ns: dict[int, int]
    last_ns: dict[int, int]
    ended: dict[int, list[int]]
    open: dict[int, list[int]]
    sent: dict[int, list[int]]
    token_t: dict[int, bytes]
    unprompted: list[int]
    context: Entries
    tail: Entries
    graph: Any


class OvertakenError(ValueError):
    """Something came that belongs before the cut: the race has to be told from its start."""


def check_holds(
    cut: Cut, context: list[OrderedEvent], tail: list[OrderedEvent], new: list[OrderedEvent]
) -> None:
    """Return if all that came after ``cut`` can leave what is settled as it is.

    Raises:
        OvertakenError: something cannot.
    """
    guard = _Guard(cut, [entry[4] for entry in context])
    for entry in (*tail, *new):
        if isinstance(entry[4], Tokens):
            guard.chunks(entry[4])
    for entry in new:
        guard.event(entry[4])


class _Guard:
    def __init__(self, cut: Cut, context: list[AnyEvent]) -> None:
        self._cut = cut
        self._last = max(cut.until_ns.values())
        self._ended, self._open, self._sent = (
            {lane: frozenset(requests) for lane, requests in known.items()}
            for known in (cut.ended, cut.open, cut.sent)
        )
        self._closed = {event.lane for event in context if isinstance(event, LaneEnd)}
        self._prompts = {event.prompt for event in context if isinstance(event, Prompt)} | {*cut.unprompted}
        self._processes = {
            lane_process(event.engine): event.lane for event in context if isinstance(event, LaneFacts)
        }

    def chunks(self, batch: Tokens) -> None:
        """Let chunks pass that come after the cut and belong to no request that is told."""
        self._known(batch.lane)
        if not batch.r:
            return
        self._later(batch.lane, batch.t + batch.d[0])
        if not self._ended[batch.lane].isdisjoint(batch.r):
            raise OvertakenError("a chunk of a request that has ended")

    def event(self, event: AnyEvent) -> None:
        """Let an event pass that no settled row can speak of."""
        match event:
            case Head() | RaceFacts() | LaneFacts() | LaneStart():
                raise OvertakenError(f"a {type(event).__name__}")
            case LaneEnd():
                self._later(event.lane, event.t)
                if event.lane in self._closed:
                    raise OvertakenError("a lane ended twice")
            case RequestScheduled() | RequestSent() | ResponseHeaders() | Usage() | RequestEnd():
                self._request(event)
            case Prompt() if event.prompt in self._prompts:
                raise OvertakenError("a prompt that is known")
            case HostSamples() if event.process in self._processes and event.d:
                self._later(self._processes[event.process], event.t + event.d[0])
            case GpuSamples() | EngineSamples() | HostSamples() if (
                reading_of(event) is not None and event.t <= self._last
            ):
                raise OvertakenError("an earlier reading of a GPU, an engine or the machine")
            case Control() if event.t <= self._last and event.what != "go":
                raise OvertakenError("an earlier order")
            case _:
                pass

    def _request(self, event: RequestEvent) -> None:
        self._later(event.lane, event.t)
        known = self._ended[event.lane]
        if isinstance(event, RequestScheduled):
            known |= self._open[event.lane]
        elif isinstance(event, RequestSent):
            known |= self._sent[event.lane]
        if event.req in known:
            raise OvertakenError("a request that is told already")

    def _known(self, lane: int) -> None:
        if lane not in self._cut.until_ns:
            raise OvertakenError(f"lane {lane} is new")

    def _later(self, lane: int, t_ns: int) -> None:
        self._known(lane)
        if t_ns <= self._cut.until_ns[lane]:
            raise OvertakenError(f"an instant before the cut on lane {lane}")
