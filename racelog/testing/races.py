"""Small races built by code: exact times, exact texts, no clock and no network."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from racelog.clock import NS_PER_MS
from racelog.events import (
    AnyEvent,
    ClockAnchor,
    Head,
    HostSamples,
    LaneEnd,
    LaneFacts,
    LaneStart,
    Prompt,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.log.write.segment import SegmentWriter

RACE_ID = "20261121-013000-0a1b2c3d"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a scripted lane answers; times in milliseconds, one request after another, ``slow`` ones ten times as late."""

    engine: str
    ttft_ms: float = 100.0
    gap_ms: float = 20.0
    requests: int = 4
    tokens: int = 8
    start_ms: float = 1000.0
    fail: tuple[int, ...] = ()
    slow: tuple[int, ...] = ()
    color: str = ""
    emoji: str = ""


@dataclass(slots=True)
class ScriptedRace:
    """Events of a race in which every lane keeps exactly to its `Plan`."""

    plans: list[Plan]
    grid: str = "together"
    name: str = "scripted"
    finish: float | None = None
    prompts: list[str] = field(default_factory=lambda: ["Name a colour.", "Name a bird.", "Name a river."])

    def head(self, writer: int = 1, role: str = "conductor", lane: int | None = None) -> Head:
        """Return a segment head of this race."""
        return Head(
            t=0, race_id=RACE_ID, writer=f"{writer:016x}", role=role,  # type: ignore[arg-type]  # a test's word
            mono_origin_ns=5_000_000_000, lane=lane, pid=4242, racelog_version="0.1.0",
        )  # fmt: skip

    def race_events(self) -> list[AnyEvent]:
        """Return what the conductor would record before the start."""
        requests = max(plan.requests for plan in self.plans)
        facts = RaceFacts(
            t=0, race_id=RACE_ID, name=self.name, started_at="2026-11-21T01:30:00.000Z", seed=7,
            grid=self.grid, requests=requests, concurrency=1, host={"cpu": "test"},  # type: ignore[arg-type]
            finish=self.finish,
        )  # fmt: skip
        lanes = [
            LaneFacts(
                t=0, lane=lane, engine=plan.engine, model="m", url=f"http://127.0.0.1:{9000 + lane}/v1",
                color=plan.color, emoji=plan.emoji, transport="pump",
            )
            for lane, plan in enumerate(self.plans)
        ]  # fmt: skip
        prompts = [
            Prompt(t=0, prompt=i, messages=[{"role": "user", "content": text}])
            for i, text in enumerate(self.prompts)
        ]
        anchor = ClockAnchor(t=0, mono_ns=5_000_000_000, wall_ns=1_795_224_600_000_000_000)
        return [anchor, facts, *lanes, *prompts]

    def lane_events(self, lane: int) -> list[AnyEvent]:
        """Return what lane ``lane`` would record, in time order."""
        plan = self.plans[lane]
        t = _ns(plan.start_ms)
        events: list[AnyEvent] = [LaneStart(t=t, lane=lane)]
        for req in range(plan.requests):
            made, t = self._request(lane, req, t)
            events += made
        events.append(LaneEnd(t=t, lane=lane, status="finished"))
        return events

    def _request(self, lane: int, req: int, t: int) -> tuple[list[AnyEvent], int]:
        plan = self.plans[lane]
        start: list[AnyEvent] = [
            RequestScheduled(t=t, lane=lane, req=req, prompt=req % len(self.prompts)),
            RequestSent(t=t, lane=lane, req=req, connection="new"),
        ]
        if req in plan.fail:
            end = t + _ns(plan.ttft_ms)
            failure = RequestEnd(t=end, lane=lane, req=req, status="failed", error="http", message="HTTP 500")
            return [*start, ResponseHeaders(t=end, lane=lane, req=req, status=500), failure], end
        first = t + _ns(plan.ttft_ms * (10 if req in plan.slow else 1))
        gaps = [0] + [_ns(plan.gap_ms)] * (plan.tokens - 1)
        last = first + sum(gaps)
        return [
            *start,
            ResponseHeaders(t=first, lane=lane, req=req, status=200),
            Tokens(
                t=first, lane=lane, r=[req] * plan.tokens, d=gaps, x=[f" w{i}" for i in range(plan.tokens)]
            ),
            Usage(t=last, lane=lane, req=req, input_tokens=5, output_tokens=plan.tokens),
            RequestEnd(t=last, lane=lane, req=req, status="ok", finish_reason="stop"),
        ], last

    def events(self) -> list[AnyEvent]:
        """Return every event of the race in time order."""
        lanes = [event for lane in range(len(self.plans)) for event in self.lane_events(lane)]
        return sorted([*self.race_events(), *lanes], key=lambda event: event.t)

    def write_segments(self, directory: Path, *, per_unit: int = 5) -> Path:
        """Write the race as a directory of segments, ``per_unit`` events to a unit; return ``directory``."""
        directory.mkdir(parents=True)
        self._segment(directory / "conductor.rlog", self.head(), self.race_events(), per_unit)
        for lane in range(len(self.plans)):
            path = directory / f"lane-{lane}.rlog"
            self._segment(path, self.head(lane + 2, "lane", lane), self.lane_events(lane), per_unit)
        return directory

    def write_file(self, path: Path, *, per_unit: int = 5) -> Path:
        """Write the race as one finished segment; return ``path``."""
        self._segment(path, self.head(), self.events(), per_unit)
        return path

    def _segment(self, path: Path, head: Head, events: list[AnyEvent], per_unit: int) -> None:
        with SegmentWriter(path, head) as writer:
            for start in range(0, len(events), per_unit):
                writer.commit(events[start : start + per_unit])
            writer.finish(events[-1].t)


def recorder_readings(
    engine: str, *, start_ms: float = 1000.0, rows: int = 100, **columns: Any
) -> HostSamples:
    """Return what a lane's healthy recorder would have noted of itself ten times a second.

    A column, such as ``cpu_pct``, is replaced by a list, or by one value for all rows.
    """
    plain = {"cpu_pct": 20.0, "rss_mib": 50.0, "loop_lag_us": 800.0, **columns}
    filled: dict[str, Any] = {
        name: value if isinstance(value, list) else [value] * rows for name, value in plain.items()
    }
    d = [0, *[_ns(100)] * (rows - 1)]
    return HostSamples(t=_ns(start_ms), process=f"lane:{engine}", d=d, **filled)


def _ns(milliseconds: float) -> int:
    return round(milliseconds * NS_PER_MS)
