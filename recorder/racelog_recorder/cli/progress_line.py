"""How far a running race is, in a line: a fold that keeps counts and no tokens, so that it can watch for days.

The full views hold every token of a race. This one runs in the conductor's own process, whose memory must not grow
with the length of the race.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.display.figures import duration, rate
from racelog.display.text import counted, printable
from racelog.events import (
    TOKEN_CODES,
    AnyEvent,
    Calibration,
    Head,
    LaneEnd,
    LaneFacts,
    LaneStart,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    Tokens,
)
from racelog.log.rows.chunks import chunk_rows
from racelog.replay.quantiles import median
from racelog.views.verdict import status_word

RECENT = 1_000
"""The TTFT in the line is the median of so many requests, the latest ones."""

OLD_S = 4.0
"""Every process of a race notes something of itself each second, and writes it within a flush window."""


@dataclass(slots=True)
class LaneProgress:
    """What the line tells of one lane, and the requests under way: when each was sent, and those without a token yet."""

    engine: str
    status: str = "waiting"
    start_ns: int = 0
    last_ns: int = 0
    done: int = 0
    failed: int = 0
    tokens: int = 0
    calibration: Calibration | None = None
    ttft_ms: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    open: dict[int, int] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)


class Progress:
    """Folds what is new in a log into a few numbers a lane."""

    def __init__(self) -> None:
        self.lanes: dict[int, LaneProgress] = {}
        self._requests: int | None = None
        self._origin_ns: int | None = None
        self._newest_ns = 0

    def extend(self, events: Iterable[AnyEvent]) -> None:
        """Take new events; of those that come together, tokens count before the ends of their requests."""
        ends: list[RequestEnd | LaneEnd] = []
        chunks: list[Tokens] = []
        for event in events:
            self._newest_ns = max(self._newest_ns, event.t)
            match event:
                case RequestEnd() | LaneEnd():
                    ends.append(event)
                case Tokens():
                    chunks.append(event)
                case RaceFacts():
                    self._requests = event.requests
                case Head():
                    self._origin_ns = event.mono_origin_ns
                case LaneFacts():
                    self.lanes.setdefault(event.lane, LaneProgress(event.engine))
                case _:
                    self._step(event)
        for batch in chunks:
            self._take(batch)
        for end in ends:
            self._step(end)

    def line(self, now_ns: int | None = None) -> str:
        """Return one line for the lanes on the track, such as ``00:08  vLLM 12/40 (TTFT 184 ms, 61 tok/s)``.

        At ``now_ns`` of ``CLOCK_MONOTONIC`` it says how old it is, where what was read of the log so far is `OLD_S` old or more:
        this process stays behind the lanes, and on a busy machine it may stay far behind.

        Lanes that wait or are through are left out while any other races, so a time trial tells of one at a time.
        Empty while none has started.
        """
        lanes = list(self.lanes.values())
        if all(lane.status == "waiting" for lane in lanes):
            return ""
        racing = [lane for lane in lanes if lane.status == "racing"] or lanes
        elapsed_s = int(max(lane.last_ns - lane.start_ns for lane in racing) / NS_PER_S)
        told = f"{elapsed_s // 60:02d}:{elapsed_s % 60:02d}  " + " | ".join(map(self._words, racing))
        return told + self._age(now_ns)

    def _age(self, now_ns: int | None) -> str:
        if now_ns is None or self._origin_ns is None:
            return ""
        age_s = (now_ns - self._origin_ns - self._newest_ns) / NS_PER_S
        return f"  (as it was {age_s:.0f} s ago: this machine is busy)" if age_s >= OLD_S else ""

    def _words(self, lane: LaneProgress) -> str:
        name = printable(lane.engine)
        if lane.status == "waiting":
            return f"{name} waits"
        of = f"/{self._requests:,}" if self._requests else ""
        middle, elapsed_s = median(sorted(lane.ttft_ms)), (lane.last_ns - lane.start_ns) / NS_PER_S
        words = [f"TTFT {duration(middle)}"] if middle is not None else []
        words += [rate(lane.tokens / elapsed_s, "tok/s")] if elapsed_s > 0 else []
        words += [f"{lane.failed:,} failed"] if lane.failed else []
        words += [status_word(lane.status)] if lane.status != "racing" else []
        return f"{name} {lane.done:,}{of}" + (f" ({', '.join(words)})" if words else "")

    def _step(self, event: AnyEvent) -> None:
        lane = self.lanes.get(getattr(event, "lane", None) or 0)
        if lane is None:
            return
        match event:
            case LaneStart():
                lane.status, lane.start_ns = "racing", event.t
            case LaneEnd() if lane.status in ("waiting", "racing"):
                lane.status = event.status
            case Calibration():
                lane.calibration = event
            case RequestScheduled() if event.phase == "race":
                lane.open[event.req] = event.t
                lane.silent.add(event.req)
            case RequestSent() if event.req in lane.open:
                lane.open[event.req] = event.t
            case RequestEnd() if event.req in lane.open:
                del lane.open[event.req]
                lane.silent.discard(event.req)
                lane.done += 1
                lane.failed += event.status == "failed"
            case _:
                return
        lane.last_ns = max(lane.last_ns, event.t)

    def _take(self, batch: Tokens) -> None:
        """Count a batch's token chunks, and note those that are a request's first.

        Cost: of a batch in which no request has its first, a tenth of a microsecond a chunk.
        """
        lane = self.lanes.get(batch.lane)
        if lane is None or not batch.r:
            return
        lane.last_ns = max(lane.last_ns, batch.t + sum(batch.d))
        requests = set(batch.r)
        if not batch.c and requests <= lane.open.keys() and requests.isdisjoint(lane.silent):
            lane.tokens += len(batch.r)
            return
        for t, request, _, code, _, _ in chunk_rows(batch):
            if code not in TOKEN_CODES or request not in lane.open:
                continue
            lane.tokens += 1
            if request in lane.silent:
                lane.silent.remove(request)
                lane.ttft_ms.append((t - lane.open[request]) / NS_PER_MS)


def calibration_line(engine: str, found: Calibration) -> str:
    """Return one line for what a lane's calibration found."""
    return (
        f"{printable(engine)}: clock checked at {counted(found.streams, 'stream')}{' over TLS' if found.tls else ''}, "
        f"+-{duration(found.p50_us / 1000)} (p50), +-{duration(found.p99_us / 1000)} (p99)"
    )
