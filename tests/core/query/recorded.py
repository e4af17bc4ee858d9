"""Races written for queries: one with every kind of row, its columns known by hand."""

from pathlib import Path

from racelog.events import (
    AnyEvent,
    Calibration,
    Control,
    EngineSamples,
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
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.log.format.names import SEGMENT_SUFFIX
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import RACE_ID, ScriptedRace

MS = 1_000_000


def write_log(path: Path, events: list[AnyEvent], *, race_id: str = RACE_ID, finish: bool = True) -> Path:
    """Write ``events`` as one segment of one unit; return ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = Head(
        t=0,
        race_id=race_id,
        writer=f"{1:016x}",
        role="conductor",
        mono_origin_ns=7_000,
        racelog_version="0.1.0",
    )
    with SegmentWriter(path, head) as writer:
        writer.commit(events)
        if finish:
            writer.finish(events[-1].t)
    return path


def store(home: Path, race: ScriptedRace, race_id: str = RACE_ID) -> Path:
    """Store a scripted race in ``home`` under its own id; return its path."""
    path = home / "races" / f"{race_id}{SEGMENT_SUFFIX}"
    events = [
        RaceFacts(
            t=0,
            race_id=race_id,
            name=race.name,
            started_at="2026-11-21T01:30:00.000Z",
            seed=7,
            finish=race.finish,
        )
        if isinstance(event, RaceFacts)
        else event
        for event in race.events()
    ]
    return write_log(path, events, race_id=race_id)


EVERY_KIND: list[AnyEvent] = [
    RaceFacts(
        t=0, race_id=RACE_ID, name="every kind", started_at="2026-11-21T02:30:00.250+01:00", seed=9,
        grid="time-trial", concurrency=2,
    ),
    LaneFacts(
        t=0, lane=3, engine="e3", model="m3", url="http://h/v1", dialect="ollama", color="#fff", emoji="*",
        transport="pump", path="api/chat",
    ),
    Prompt(t=0, prompt=5, messages=[{"role": "system", "content": "S"}, {"role": "user", "content": "Why?"}]),
    LaneStart(t=10 * MS, lane=3),
    RequestScheduled(t=10 * MS, lane=3, req=1, prompt=5),
    RequestScheduled(t=11 * MS, lane=3, req=2, prompt=5, phase="warmup"),
    RequestSent(t=12 * MS, lane=3, req=1, connection="reopened", connect_ns=900_000, tcp_ns=150_000, tls_ns=700_000),
    ResponseHeaders(t=20 * MS, lane=3, req=1, status=200),
    Tokens(
        t=22 * MS, lane=3, r=[1, 1, 2, 1, 1], d=[0, 3 * MS, 0, 5 * MS, 2 * MS], x=["", "hm", "?", "So", " be it"],
        c="orctc", n=[None, 1, None, 2, None], s="ukKUk",
    ),
    Usage(
        t=33 * MS, lane=3, req=1, input_tokens=4, output_tokens=6, cached_tokens=3, reasoning_tokens=2, total_tokens=10,
    ),
    RequestEnd(t=34 * MS, lane=3, req=1, status="ok", finish_reason="stop"),
    RequestEnd(t=35 * MS, lane=3, req=2, status="failed", error="reset", message="peer left"),
    LaneEnd(t=40 * MS, lane=3, status="died", reason="killed"),
    HostSamples(t=1, process="host", d=[0, 4], cpu_pct=[50.0, None], rss_mib=[1.5, 2.5]),
    HostSamples(
        t=15 * MS, process="lane:e3", d=[0, 5 * MS], cpu_pct=[20.0, 40.0], rss_mib=[9.0, 9.5], loop_lag_us=[4.0, None],
        pump_batch=[1.5, 2.0], pump_batch_max=[3.0, 2.0], backlog=[0.0, 2.0],
    ),
    Calibration(
        t=9 * MS, lane=3, streams=8, tokens=160, coalesced=2, p50_us=11.0, p99_us=30.0, max_us=90.0, stamp="kernel",
        tokens_per_s=400.0,
    ),
    GpuSamples(t=2, source="nvml", device=1, d=[0, 6], name="H1", util_pct=[99.0, None], energy_j=[1.0, 2.0]),
    EngineSamples(
        t=5, lane=3, source="prometheus", d=[0, 7], running=[2.0, 3.0], waiting=[0.0, None], kv_cache_pct=[12.5, 13.0],
        output_tokens=[100.0, 140.0],
    ),
    Mark(t=3, label="here", by="user"),
    Control(t=4, what="pause", by="user", reason="lunch"),
]  # fmt: skip
