"""A log told in words: one line per fact, chunks of one request gathered into readable pieces."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from racelog.clock import NS_PER_MS, NS_PER_S, rfc3339
from racelog.console.output import plain_json
from racelog.display.cells import width as cells
from racelog.display.figures import duration
from racelog.display.text import counted, printable
from racelog.log.rows.rows import Fact

PIECE_NS = 250 * NS_PER_MS
"""Chunks of a request within this time are told on one line: a flush window, and faster than anyone reads."""

PIECE_CHARACTERS = 72
"""A line of text is not let grow beyond this by more than one chunk."""


@dataclass(slots=True)
class _Piece:
    """A line to be told, and whether chunks may still be added to it."""

    fact: Fact
    text: str = ""
    chunks: int = 0
    last_t: int = 0
    open: bool = False


def story(facts: Iterable[Fact], engines: Mapping[int, str], names: Iterable[str] = ()) -> Iterator[str]:
    """Yield a log's facts, given in time order, as lines of text in time order: when, which lane, what.

    The column of lanes is as wide as the longest of ``names``, and grows with longer ones. Cost: memory for the lines of
    `PIECE_NS`.
    """
    width = max([len("lane"), *(cells(printable(name)) for name in names)])
    for piece in _pieces(facts):
        fact = piece.fact
        lane = "" if fact.lane is None else printable(engines.get(fact.lane, f"lane {fact.lane}"))
        width = max(width, cells(lane))
        what = _chunks_told(piece) if piece.chunks else told(fact)
        yield f"{fact.t / NS_PER_S:13.6f}  {lane}{' ' * (width - cells(lane))}  {what}\n"


def _pieces(facts: Iterable[Fact]) -> Iterator[_Piece]:
    """Yield lines in the order they begin, chunks of one request joined while they follow closely."""
    waiting: deque[_Piece] = deque()
    growing: dict[tuple[int | None, int | None], _Piece] = {}
    for fact in facts:
        key = (fact.lane, fact.req)
        piece = growing.get(key)
        if piece is not None and not _joins(piece, fact):
            piece.open = False
            del growing[key]
            piece = None
        if piece is None:
            piece = _Piece(fact, open=fact.k == "tok")
            waiting.append(piece)
            if piece.open:
                growing[key] = piece
        if piece.open:
            piece.text += fact.more["text"]
            piece.chunks += 1
            piece.last_t = fact.t
        while waiting and not (waiting[0].open and fact.t - waiting[0].fact.t <= PIECE_NS):
            done = waiting.popleft()
            if done.open:
                growing.pop((done.fact.lane, done.fact.req), None)
            yield done
    yield from waiting


def _joins(piece: _Piece, fact: Fact) -> bool:
    return (
        fact.k == "tok"
        and fact.more["chunk"] == piece.fact.more["chunk"]
        and fact.t - piece.fact.t <= PIECE_NS
        and len(piece.text) < PIECE_CHARACTERS
    )


def _chunks_told(piece: _Piece) -> str:
    kind = piece.fact.more["chunk"]
    said = "" if kind == "content" else f"{kind} "
    span = f", {duration((piece.last_t - piece.fact.t) / NS_PER_MS)}" if piece.chunks > 1 else ""
    return f"request {piece.fact.req} {said}| {printable(piece.text, newline='⏎')} | {counted(piece.chunks, 'chunk')}{span}"


def told(fact: Fact) -> str:
    """Return what a fact says, in words, inert and on one line."""
    tell = _WORDS.get(fact.k)
    try:
        words = plain_json(fact.more) if tell is None else tell(fact, _Fields(fact.more))
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
    ):  # a newer version of the kind: not ours to interpret
        words = f"{fact.k} {plain_json(fact.more)}"
    return printable(words if tell is not None else f"{fact.k} {words}")


class _Fields(dict[str, Any]):
    """A fact's fields; those left out because they say nothing read as None."""

    def __missing__(self, name: str) -> None:
        return None


def _optional(label: str, value: object) -> str:
    return "" if value in (None, "") else label.format(value)


def _race(_fact: Fact, more: _Fields) -> str:
    return f"race {more['name']!r} of {more['started_at']}, seed {more['seed']}, {more['grid'] or 'together'}"


def _lane(_fact: Fact, more: _Fields) -> str:
    return f"is {more['engine']}: {more['model']} at {more['url']}"


def _prompt(_fact: Fact, more: _Fields) -> str:
    last = more["messages"][-1]["content"] if more["messages"] else ""
    return f"prompt {more['prompt']}: {last if isinstance(last, str) else plain_json(last)}"


def _clock(_fact: Fact, more: _Fields) -> str:
    return f"clock: {rfc3339(more['wall_ns'])}"


def _scheduled(fact: Fact, more: _Fields) -> str:
    return f"request {fact.req} is due: prompt {more['prompt']}{_optional(', {}', more['phase'])}"


def _sent(fact: Fact, more: _Fields) -> str:
    connecting = "" if more["connect_ns"] is None else f" in {duration(more['connect_ns'] / NS_PER_MS)}"
    return f"request {fact.req} sent{_optional(', {} connection', more['connection'])}{connecting}"


def _usage(fact: Fact, more: _Fields) -> str:
    counts = [
        f"{more[name + '_tokens']} {name}"
        for name in ("input", "output", "cached", "reasoning")
        if more[name + "_tokens"] is not None
    ]
    return f"request {fact.req} counted by the server: {', '.join(counts) or 'nothing'}"


def _ended(fact: Fact, more: _Fields) -> str:
    why = "".join(_optional(", {}", more[name]) for name in ("finish_reason", "error", "message"))
    return f"request {fact.req} {more['status']}{why}"


def _host(_fact: Fact, more: _Fields) -> str:
    units = {
        "cpu_pct": "% cpu",
        "rss_mib": "MiB",
        "loop_lag_us": "us late",
        "pump_batch": "reads a drain",
        "pump_batch_max": "at most",
        "backlog": "batches wait for the disk",
    }
    return f"{more['process']}" + _readings(more, units)


def _calibration(_fact: Fact, more: _Fields) -> str:
    spread = " / ".join(duration(more[name] / 1000) for name in ("p50_us", "p99_us", "max_us"))
    return (
        f"calibrated: stamp error p50 / p99 / max {spread} over {counted(more['tokens'], 'chunk')} of "
        f"{counted(more['streams'], 'stream')}{' over TLS' if more['tls'] else ''}, {more['stamp']} stamps"
    )


def _gpu(_fact: Fact, more: _Fields) -> str:
    units = {
        "util_pct": "% busy",
        "mem_used_mib": "MiB",
        "power_w": "W",
        "temp_c": "°C",
        "sm_clock_mhz": "MHz",
    }
    return f"GPU {more['device']}{_readings(more, units)}"


def _engine(_fact: Fact, more: _Fields) -> str:
    units = {
        "running": "running",
        "waiting": "waiting",
        "kv_cache_pct": "% of the KV cache",
        "input_tokens": "input tokens",
        "output_tokens": "output tokens",
        "cached_tokens": "cached tokens",
        "preemptions": "preemptions",
    }
    return f"the engine says ({more['source']}){_readings(more, units)}"


def _readings(more: _Fields, units: Mapping[str, str]) -> str:
    read = [f"{more[name]:g} {unit}" for name, unit in units.items() if more[name] is not None]
    return f": {', '.join(read) or 'nothing read'}"


def _gap(_fact: Fact, more: _Fields) -> str:
    lost = [counted(number, what) for what in ("chunk", "event", "byte") if (number := more[f"{what}s"])]
    return f"lost {', '.join(lost) or 'an unknown number of facts'}: {more['reason']}"


_WORDS: dict[str, Callable[[Fact, _Fields], str]] = {
    "head": lambda _fact, more: f"a segment begins: {more['role']} {more['writer']}",
    "clock": _clock,
    "race": _race,
    "lane": _lane,
    "prompt": _prompt,
    "lane.start": lambda _fact, _more: "starts",
    "lane.end": lambda _fact, more: f"{more['status']}{_optional(': {}', more['reason'])}",
    "control": lambda _fact, more: (
        f"order: {more['what']}, by {more['by'] or 'plan'}{_optional(': {}', more['reason'])}"
    ),
    "req": _scheduled,
    "sent": _sent,
    "headers": lambda fact, more: f"request {fact.req} answered: HTTP {more['status']}",
    "usage": _usage,
    "end": _ended,
    "host": _host,
    "calibration": _calibration,
    "gpu": _gpu,
    "engine": _engine,
    "mark": lambda _fact, more: f"mark {more['label']!r}",
    "note": lambda _fact, more: f"{more['level'] or 'info'}: {more['text']}",
    "gap": _gap,
    "fin": lambda _fact, more: f"a segment ends{_optional(': {}', more['reason'])}",
}
"""How each kind is told; a kind that is not here is shown as it is."""
