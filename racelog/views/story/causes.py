"""What in the log, at the instant of an anomaly, may explain it; nothing is guessed that was not recorded. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeVar

from racelog.clock import NS_PER_S
from racelog.display.figures import percent
from racelog.display.text import counted, printable
from racelog.events import EngineSamples, GpuSamples, HostSamples
from racelog.replay.quantiles import median
from racelog.replay.race import RaceTracks
from racelog.views.pauses import held
from racelog.views.story.happenings import Book, LaneAccount
from racelog.views.story.rows import AnomalyKind

MINUTE_NS = 60 * NS_PER_S
WINDOW_NS = 10 * NS_PER_S
"""What happened longer ago explains no change of now, but for failures, which are counted by the minute."""

FULL = 0.9
"""From here on memory, a KV cache or a machine's CPU counts as full."""

SAID = 160
"""How much of a failure's words is told."""

MOST_SAID = 2
"""Kinds of failure whose words are told."""

Readings = GpuSamples | HostSamples | EngineSamples
T = TypeVar("T", GpuSamples, HostSamples, EngineSamples)

NONE = "nothing else in this log changed at that time"


def causes(lane: int, account: LaneAccount, book: Book, kind: AnomalyKind) -> list[str]:
    """Return what may explain an anomaly of ``lane`` at the present beat, in words."""
    now = account.origin_ns + book.position_ns
    found = [
        *_failures(account, book.position_ns - (MINUTE_NS if kind == "error-rise" else WINDOW_NS)),
        *_pauses(book, now),
        *_gpus(book, now),
        *_engine(lane, book, now),
        *_host(book, now),
        *_others(lane, book),
    ]
    return found or [NONE]


def reading_of(event: Readings) -> tuple[str, str, int] | None:
    """Return whose readings these are, where causes look at them; None where they do not."""
    match event:
        case GpuSamples():
            return "gpu", event.source, event.device
        case EngineSamples():
            return "engine", event.source, event.lane
        case HostSamples():
            return ("host", event.process, 0) if event.process == "host" else None


def readings_by(tracks: RaceTracks, instant_ns: int) -> int:
    """Return how many batches of readings, and orders, there are that began by an instant: whether any has come since."""
    machine = sum(batch.process == "host" and batch.t < instant_ns for batch in tracks.host)
    orders = sum(order.t < instant_ns for order in tracks.controls)
    return (
        machine
        + orders
        + sum(bisect_left(one, instant_ns, key=lambda batch: batch.t) for one in (tracks.gpu, tracks.engine))
    )


def paused_since(book: Book, account: LaneAccount, since_ns: int) -> bool:
    """Return whether the race was held at any time from a position to the present one."""
    first, now = account.origin_ns + since_ns, account.origin_ns + book.position_ns
    return any(begin <= now and (end is None or end > first) for begin, end in held(book.tracks))


def _failures(account: LaneAccount, since_ns: int) -> Iterator[str]:
    """Yield what the failures since then said themselves, the most frequent first."""
    words = Counter(word for at, word in account.words if at > since_ns)
    for word, count in sorted(words.items(), key=lambda one: (-one[1], one[0]))[:MOST_SAID]:
        yield printable(f"{counted(count, 'request')} failed: {word[:SAID]}")


def _pauses(book: Book, now_ns: int) -> Iterator[str]:
    for begin, end in held(book.tracks):
        if begin <= now_ns and (end is None or end > now_ns - WINDOW_NS):
            yield "the race was paused" if end is None or end > now_ns else "the race went on after a pause"


def _gpus(book: Book, now_ns: int) -> Iterator[str]:
    for batch in _last(book.tracks.gpu, now_ns):
        shares = [
            used / total if used is not None and total else None
            for used, total in zip(batch.mem_used_mib, batch.mem_total_mib, strict=False)
        ]
        if (share := _at(batch, shares, now_ns) or 0.0) > FULL:
            yield f"GPU {batch.device} memory was {percent(share)} full"


def _engine(lane: int, book: Book, now_ns: int) -> Iterator[str]:
    own = [batch for batch in book.tracks.engine if batch.lane == lane]
    for batch in _last(own, now_ns):
        if (cache := _at(batch, batch.kv_cache_pct, now_ns) or 0.0) > FULL * 100:
            yield f"its KV cache was {percent(cache / 100)} full"
        if waiting := _at(batch, batch.waiting, now_ns):
            yield f"{counted(round(waiting), 'request')} waited in its queue"


def _host(book: Book, now_ns: int) -> Iterator[str]:
    """Yield a word where the machine that records had no CPU left: the engine may run beside it."""
    facts = book.tracks.facts
    cores = facts.host.get("cores") if facts else None
    own = [batch for batch in book.tracks.host if batch.process == "host"]
    for batch in _last(own, now_ns):
        busy = (_at(batch, batch.cpu_pct, now_ns) or 0.0) / 100
        if isinstance(cores, int) and cores > 0 and busy / cores > FULL:
            yield f"the measuring machine's CPU was {percent(min(1.0, busy / cores))} busy"


def _others(lane: int, book: Book) -> Iterator[str]:
    others = [other for number, other in book.lanes.items() if number != lane and other.racing]
    if others and all(_slower(other, book.position_ns) for other in others):
        yield "every other engine slowed down at the same time: look at the machine or the network"


def _slower(account: LaneAccount, now_ns: int) -> bool:
    recent = sorted(ms for at, ms in account.firsts if at > now_ns - WINDOW_NS)
    before = sorted(ms for at, ms in account.firsts if at <= now_ns - WINDOW_NS)
    return bool(recent and before) and (median(recent) or 0.0) > 1.25 * (median(before) or 0.0)


def _last(batches: Sequence[T], now_ns: int) -> list[T]:
    """Return the last batch of each source that began by now."""
    last: dict[tuple[str, str, int], T] = {}
    for batch in batches[: bisect_left(batches, now_ns, key=lambda one: one.t)]:
        if (key := reading_of(batch)) is not None:
            last[key] = batch
    return [last[key] for key in sorted(last)]


def _at(batch: Readings, values: Sequence[float | None], now_ns: int) -> float | None:
    """Return the last of a column's values that was read by now."""
    t, found = batch.t, None
    for delta, value in zip(batch.d, values, strict=False):
        t += delta
        if t > now_ns:
            break
        found = value if value is not None else found
    return found
