"""Every kind of event in a log: typed facts, no logic.

An event is one JSON object. ``k`` names its kind, ``t`` is nanoseconds of ``CLOCK_MONOTONIC`` since the race's
origin, ``v`` the version of that kind (left out while it is 1). Units stand in field names.

Rules for changing a kind, so that old logs stay readable: a new field has a default; a field never changes its
meaning or type; a field is never removed; anything else is a new ``v`` with an upcaster in `racelog.log.format.upcast`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

FORMAT_VERSION = 1

Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""An integer that any reader can hold: columns of folds, of DuckDB and of Parquet have 64 bits and a sign."""

ChunkKind = Literal["content", "reasoning", "tool", "role", "meta"]
"""What a chunk carries: text of three kinds, the opening role alone, or nothing but bookkeeping."""

KIND_CODES: dict[str, ChunkKind] = {
    "c": "content",
    "r": "reasoning",
    "t": "tool",
    "o": "role",
    "m": "meta",
}
"""One letter per chunk kind in `Tokens.c`; ``c``, ``r`` and ``t`` are token chunks."""

TOKEN_CODES = frozenset("crt")

STAMP_CODES: dict[str, tuple[str, bool]] = {
    "k": ("kernel", False),
    "K": ("kernel", True),
    "u": ("user", False),
    "U": ("user", True),
}
"""One letter per chunk in `Tokens.s`: who stamped it, and whether it is `coalesced` (a capital)."""

RequestStatus = Literal["ok", "failed", "cancelled", "open"]
Phase = Literal["warmup", "race"]


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="k"):
    """What every event has: its time and the version of its kind."""

    t: Int64
    v: Int64 = 1


class Head(Event, frozen=True, kw_only=True, tag="head"):
    """First event of every segment: which race, which writer, and the clock they share."""

    race_id: str
    writer: str
    role: Literal["conductor", "lane", "telemetry", "seal"]
    mono_origin_ns: Int64
    lane: Int64 | None = None
    pid: Int64 | None = None
    format: Int64 = FORMAT_VERSION
    racelog_version: str = ""
    sources: list[str] = []


class ClockAnchor(Event, frozen=True, kw_only=True, tag="clock"):
    """The clocks of one host read together; ties ``t`` to the calendar."""

    mono_ns: Int64
    wall_ns: Int64
    boot_ns: Int64 | None = None


class RaceFacts(Event, frozen=True, kw_only=True, tag="race"):
    """The race as it was asked for, secrets removed, and where it ran.

    With ``rate_per_s`` the load was an open loop (``concurrency`` is then 0): requests went out by a schedule, whatever
    was open already, ``max_open`` at most. ``finish`` is the share of its requests, 0 to 1, that an engine must finish.
    """

    race_id: str
    name: str
    started_at: str
    seed: Int64
    grid: Literal["together", "time-trial"] = "together"
    requests: Int64 | None = None
    duration_ns: Int64 | None = None
    concurrency: Int64 = 1
    plan: dict[str, Any] = {}
    host: dict[str, Any] = {}
    imported_from: str | None = None
    rate_per_s: float | None = None
    arrival: str = ""
    max_open: Int64 | None = None
    finish: float | None = None


class LaneFacts(Event, frozen=True, kw_only=True, tag="lane"):
    """One engine's track: who runs on it and how it is reached.

    ``kept`` is which token chunks of a request the log holds: ``all``, or, of a tool that kept no others, the ``ends``: the
    first and the last alone, between which nothing is known. ``params`` are the fields that every request's body was
    given, secrets removed; null where that was not recorded. ``path`` is where its requests went, under ``url``; empty where the
    name of the dialect alone tells.
    """

    lane: Int64
    engine: str
    model: str
    url: str
    dialect: str = "openai-chat"
    color: str = ""
    emoji: str = ""
    transport: str = ""
    kept: Literal["all", "ends"] = "all"
    params: dict[str, Any] | None = None
    path: str = ""


class Prompt(Event, frozen=True, kw_only=True, tag="prompt"):
    """One prompt, stored once and sent by every lane."""

    prompt: Int64
    messages: list[dict[str, Any]]


class LaneStart(Event, frozen=True, kw_only=True, tag="lane.start"):
    """The lane's own start: from here its clock runs. ``cpus`` are those it was pinned to, none where it was not."""

    lane: Int64
    cpus: list[Int64] = []


class LaneEnd(Event, frozen=True, kw_only=True, tag="lane.end"):
    """The lane stopped racing."""

    lane: Int64
    status: Literal["finished", "stopped", "died"]
    reason: str = ""


class Control(Event, frozen=True, kw_only=True, tag="control"):
    """An order that the lanes were given, to follow at ``t``; ``lane`` is None for all of them.

    ``go`` is the agreed instant of a start. From ``pause`` to ``resume`` no request is sent. ``stop`` ends the race and
    ``eliminate`` one lane: what is open may finish, for a while; ``cancel`` waits no longer.
    """

    what: Literal["go", "pause", "resume", "stop", "cancel", "eliminate"]
    lane: Int64 | None = None
    by: Literal["plan", "user", "signal"] = "plan"
    reason: str = ""


class RequestScheduled(Event, frozen=True, kw_only=True, tag="req"):
    """A request's intended send time; ``t`` is the schedule, not the deed."""

    lane: Int64
    req: Int64
    prompt: Int64
    phase: Phase = "race"
    params: dict[str, Any] = {}


class RequestSent(Event, frozen=True, kw_only=True, tag="sent"):
    """Stamped right before the request's bytes were handed to the kernel.

    ``reopened``: the server had dropped an idle connection, so the request was sent again on a fresh one; the
    last such event of a request counts. ``connect_ns`` is all that connecting took, ``dns_ns``, ``tcp_ns`` and ``tls_ns`` its
    steps, null for one that was not needed.
    """

    lane: Int64
    req: Int64
    connection: Literal["new", "reused", "reopened", ""] = ""
    connect_ns: Int64 | None = None
    dns_ns: Int64 | None = None
    tcp_ns: Int64 | None = None
    tls_ns: Int64 | None = None


class ResponseHeaders(Event, frozen=True, kw_only=True, tag="headers"):
    """The response's status line and the headers worth keeping."""

    lane: Int64
    req: Int64
    status: Int64
    headers: dict[str, str] = {}


class Tokens(Event, frozen=True, kw_only=True, tag="tok"):
    """A column of chunks of one lane in arrival order; ``t`` is the first one's arrival.

    ``r`` request of each chunk; ``d`` nanoseconds since the chunk before (first 0, never negative); ``x`` text;
    ``c`` a letter per chunk from `KIND_CODES` (empty: all ``c``); ``n`` tokens in each chunk where the server
    says so (empty: unknown); ``s`` a letter per chunk from `STAMP_CODES` (empty: all ``k``).
    """

    lane: Int64
    r: list[Int64]
    d: list[Int64]
    x: list[str]
    c: str = ""
    n: list[Int64 | None] = []
    s: str = ""


class PackedTokens(Event, frozen=True, kw_only=True, tag="tok.packed"):
    """`Tokens` as a sealed file stores them; readers turn it back before anyone sees it (`racelog.log.format.pack`).

    ``q`` the tracks: on each one request after another, as its number and how many of its chunks are here; ``r`` a letter
    per chunk, U+0030 + its track; ``c``, ``n``, ``s`` as in `Tokens`; ``d`` the gaps in base-64 digits, a string for
    each place, the highest first; ``x`` the texts track by track.
    """

    lane: Int64
    q: list[list[Int64]]
    r: str
    c: str = ""
    n: list[Int64 | None] = []
    s: str = ""
    d: list[str]
    x: list[str]


class Usage(Event, frozen=True, kw_only=True, tag="usage"):
    """The server's own count of a request's tokens, and its timings where it sends them; null is what it did not say.

    Of several counts for one request the largest was kept. Whether ``output_tokens`` has the ``reasoning_tokens`` in it differs
    between servers; where ``total_tokens`` is the sum of all three, it has not.
    """

    lane: Int64
    req: Int64
    input_tokens: Int64 | None = None
    output_tokens: Int64 | None = None
    cached_tokens: Int64 | None = None
    reasoning_tokens: Int64 | None = None
    total_tokens: Int64 | None = None
    server: dict[str, Any] = {}


class RequestEnd(Event, frozen=True, kw_only=True, tag="end"):
    """A request's outcome; ``t`` is the last byte's arrival, or the moment it failed."""

    lane: Int64
    req: Int64
    status: Literal["ok", "failed", "cancelled"]
    error: str = ""
    message: str = ""
    finish_reason: str = ""


class HostSamples(Event, frozen=True, kw_only=True, tag="host"):
    """A column of readings of one process, or of the whole machine (``process`` is ``host``).

    ``pump_batch`` and ``pump_batch_max`` are reads per drain of a lane's pump since the row before, ``backlog`` the
    batches that wait for the disk.
    """

    process: str
    d: list[Int64]
    cpu_pct: list[float | None]
    rss_mib: list[float | None]
    loop_lag_us: list[float | None] = []
    pump_batch: list[float | None] = []
    pump_batch_max: list[float | None] = []
    backlog: list[float | None] = []


class Calibration(Event, frozen=True, kw_only=True, tag="calibration"):
    """How far a lane's stamps were from the truth before the race, on loopback, at the race's own concurrency.

    ``p50_us`` to ``max_us`` are recorded arrival minus the truth server's own send time, over ``tokens`` chunks that
    were not coalesced; ``truth_p99_us`` is how long that server's own write took, which no stamp can be closer than.
    ``tls``: the streams came over TLS, as those of an https engine do; without it they were plain HTTP.
    """

    lane: Int64
    streams: Int64
    tokens: Int64
    coalesced: Int64
    p50_us: float
    p99_us: float
    max_us: float
    stamp: Literal["kernel", "user"]
    tokens_per_s: float
    loop_lag_us: float | None = None
    truth_p99_us: float | None = None
    tls: bool = False


class GpuSamples(Event, frozen=True, kw_only=True, tag="gpu"):
    """A column of readings of one GPU; what the driver does not give is null, never 0."""

    source: str
    device: Int64
    d: list[Int64]
    name: str = ""
    util_pct: list[float | None] = []
    mem_used_mib: list[float | None] = []
    mem_total_mib: list[float | None] = []
    power_w: list[float | None] = []
    temp_c: list[float | None] = []
    sm_clock_mhz: list[float | None] = []
    energy_j: list[float | None] = []


class EngineSamples(Event, frozen=True, kw_only=True, tag="engine"):
    """A column of readings of what an engine says of itself; what it does not say is null, never 0.

    ``running``, ``waiting`` and ``kv_cache_pct`` are of the instant; the others count since the engine was started.
    """

    lane: Int64
    source: str
    d: list[Int64]
    running: list[float | None] = []
    waiting: list[float | None] = []
    kv_cache_pct: list[float | None] = []
    input_tokens: list[float | None] = []
    output_tokens: list[float | None] = []
    cached_tokens: list[float | None] = []
    preemptions: list[float | None] = []


class Mark(Event, frozen=True, kw_only=True, tag="mark"):
    """A named instant."""

    label: str
    by: Literal["user", "auto"] = "auto"


class Note(Event, frozen=True, kw_only=True, tag="note"):
    """Something the recorder noticed and a reader should know."""

    text: str
    level: Literal["info", "warning", "error"] = "info"
    lane: Int64 | None = None


class Gap(Event, frozen=True, kw_only=True, tag="gap"):
    """Facts that were lost, how many, and why."""

    reason: str
    chunks: Int64 = 0
    events: Int64 = 0
    bytes: Int64 = 0
    lane: Int64 | None = None


class Finish(Event, frozen=True, kw_only=True, tag="fin"):
    """Last event of a segment that was closed properly."""

    events: Int64 = 0
    reason: str = ""


class Unknown(Struct, frozen=True, kw_only=True):
    """An event of a kind this racelog does not know, kept as it was read."""

    t: Int64
    k: str
    raw: Raw


RequestEvent = RequestScheduled | RequestSent | ResponseHeaders | Usage | RequestEnd
"""What befalls one request, but for its chunks."""

KnownEvent = (
    Head
    | ClockAnchor
    | RaceFacts
    | LaneFacts
    | Prompt
    | LaneStart
    | LaneEnd
    | Control
    | RequestScheduled
    | RequestSent
    | ResponseHeaders
    | Tokens
    | Usage
    | RequestEnd
    | HostSamples
    | Calibration
    | GpuSamples
    | EngineSamples
    | Mark
    | Note
    | Gap
    | Finish
)
"""The kinds that readers give."""

StoredEvent = KnownEvent | PackedTokens
"""The kinds that a log may hold."""

AnyEvent = KnownEvent | Unknown
