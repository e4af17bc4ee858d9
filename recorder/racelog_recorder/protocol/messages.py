"""What the conductor and its processes say to each other: one JSON object a line over pipes.

A process gets its spec on stdin, its length first, so keys never appear in a command line; then orders. It
answers on stdout. When stdin closes, the conductor is gone: the process finishes its segment and leaves.
"""

import struct
from typing import Any, Literal

from msgspec import Struct

from racelog_recorder.dialects.registry import DEFAULT_DIALECT
from racelog_recorder.journal.durability import Durability
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.plan.model import Traffic
from racelog_recorder.transports.reach import Reach

_LENGTH = struct.Struct("<Q")
LENGTH_BYTES = _LENGTH.size


def framed(data: bytes) -> bytes:
    """Return ``data`` behind its length."""
    return _LENGTH.pack(len(data)) + data


def length(prefix: bytes) -> int:
    """Return the length that the `LENGTH_BYTES` of ``prefix`` announce."""
    return int(_LENGTH.unpack(prefix)[0])


class LaneSpec(Struct, frozen=True, kw_only=True):
    """Everything a lane process needs. ``order`` holds the prompt of each request, the same for every lane.

    ``traffic`` is the plan's own: with a load in it the lane runs an open loop by the schedule of its seed, else a closed
    one. ``cpus`` pins the lane, if there are any.
    """

    race_id: str
    lane: int
    segment: str
    writer: str
    mono_origin_ns: int
    racelog_version: str
    engine: str
    model: str
    url: str
    transport: str
    api_key: str = ""
    headers: dict[str, str] = {}
    params: dict[str, Any] = {}
    reach: Reach = Reach()
    prompts: dict[int, list[dict[str, Any]]]
    order: list[int]
    warmup: list[int] = []
    traffic: Traffic = Traffic()
    cpus: tuple[int, ...] = ()
    dialect: str = DEFAULT_DIALECT
    ask_usage: bool = True
    deadlines: Deadlines = Deadlines()
    calibrate: bool = False
    durability: Durability = Durability()


class MetricsTarget(Struct, frozen=True, kw_only=True):
    """An engine to ask what it says of itself, and how it is reached: as its lane does."""

    lane: int
    engine: str
    url: str
    dialect: str = DEFAULT_DIALECT
    api_key: str = ""
    headers: dict[str, str] = {}
    reach: Reach = Reach()


class WatchedEngine(Struct, frozen=True, kw_only=True):
    """An engine of the race, for samplers: its lane, its name, and its URL without secrets."""

    lane: int
    engine: str
    url: str


class TelemetrySpec(Struct, frozen=True, kw_only=True):
    """Everything the telemetry process needs."""

    race_id: str
    segment: str
    writer: str
    mono_origin_ns: int
    racelog_version: str
    host_interval_s: float = 0.5
    gpu_interval_s: float = 0.1
    engine_interval_s: float = 1.0
    engines: list[MetricsTarget] = []
    samplers: list[str] = []
    watched: list[WatchedEngine] = []
    durability: Durability = Durability()


class Order(Struct, frozen=True, kw_only=True):
    """An order to a process, for the instant ``at_ns`` of ``CLOCK_MONOTONIC``.

    ``stop`` sends nothing more and gives what is open ``grace_s`` to finish; ``cancel`` ends that.
    """

    do: Literal["go", "pause", "resume", "stop", "cancel"]
    at_ns: int = 0
    grace_s: float = 0.0
    reason: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """What a process says of itself; what is ``told`` is for whoever records, and changes nothing."""

    say: Literal["ready", "told", "done", "failed"]
    text: str = ""
    exit_code: int = 0
