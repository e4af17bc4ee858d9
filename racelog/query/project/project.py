"""One race's log as columns, table by table: the folds' results, laid out for SQL. Pure; no database.

Each function returns a column name -> values mapping, every column as long as the others. Small tables are plain
lists; token chunks, which come by the million, are numpy arrays from the start.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.events import KIND_CODES, STAMP_CODES, TOKEN_CODES, EngineSamples, GpuSamples, HostSamples
from racelog.log.read.reader import RaceLog
from racelog.log.rows.samples import Samples
from racelog.log.rows.times import row_times
from racelog.query.contract.tables import TABLES, Batch, Columns
from racelog.query.project.framing import frames
from racelog.query.project.story import story_batches
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import median
from racelog.replay.race import RaceTracks, Replay
from racelog.replay.request import RequestState
from racelog.replay.track import LaneTrack
from racelog.views.evidence.health import LaneHealth, RaceHealth, StampError, race_health
from racelog.views.evidence.load import race_load
from racelog.views.race import prompt_text
from racelog.views.standings import race_verdict
from racelog.views.summary import race_status

HOST_FIELDS = ("cpu_pct", "rss_mib", "loop_lag_us", "pump_batch", "pump_batch_max", "backlog")
MOST_STANDINGS = 3600
"""An hour second by second; longer races are told in longer steps."""

GPU_FIELDS = ("util_pct", "mem_used_mib", "mem_total_mib", "power_w", "temp_c", "sm_clock_mhz", "energy_j")

ENGINE_FIELDS = (
    "running", "waiting", "kv_cache_pct", "input_tokens", "output_tokens", "cached_tokens", "preemptions",
)  # fmt: skip


def race_batches(log: RaceLog) -> list[Batch]:
    """Return everything ``log`` says, as batches of rows. Cost: folds the whole race once.

    Raises:
        OverflowError: a number in the log does not fit 64 bits.
        ValueError: the log's facts contradict each other so that they cannot be folded.
    """
    replay = Replay(RaceTracks(log.events))
    replay.seek_end()
    race_id = race_id_of(replay.tracks)
    return [
        *whole_batches(race_id, log, replay),
        ("requests", requests_columns(race_id, replay)),
        *(("tokens", tokens_columns(race_id, track)) for track in replay.tracks.lanes.values() if track.t),
        *samples_batches(race_id, [*replay.tracks.host, *replay.tracks.gpu, *replay.tracks.engine]),
        (
            "standings",
            standings_columns(
                race_id, Replay(replay.tracks), standing_positions(replay.tracks.duration_ns())
            ),
        ),
        *story_batches(race_id, replay.tracks),
    ]


def whole_batches(race_id: str, log: RaceLog, replay: Replay) -> list[Batch]:
    """Return the tables of few rows that say how all of the race stands; ``replay`` is at its end."""
    health = race_health(replay)
    return [
        ("races", _races(race_id, log, replay, health)),
        ("lanes", _lanes(race_id, replay)),
        ("health", _health(race_id, health.lanes)),
        ("controls", _controls(race_id, replay.tracks)),
        ("marks", _marks(race_id, replay.tracks)),
    ]


def samples_batches(race_id: str, events: Iterable[Samples]) -> list[Batch]:
    """Return the rows of readings."""
    batches: list[Batch] = []
    for event in events:
        match event:
            case HostSamples():
                batches.append(("host_samples", _host_samples(race_id, event)))
            case GpuSamples():
                batches.append(("gpu_samples", _gpu_samples(race_id, event)))
            case EngineSamples():
                batches.append(("engine_samples", _engine_samples(race_id, event)))
    return batches


def race_id_of(tracks: RaceTracks) -> str:
    """Return the race's id: as the race says it, else as its first segment does."""
    if tracks.facts:
        return tracks.facts.race_id
    return tracks.head.race_id if tracks.head else ""


def _races(race_id: str, log: RaceLog, replay: Replay, health: RaceHealth) -> Columns:
    tracks, facts, head = replay.tracks, replay.tracks.facts, replay.tracks.head
    verdict, load = race_verdict(replay, answered=True), race_load(tracks)
    return {
        "race_id": [race_id],
        "name": [facts.name if facts else None],
        "path": [str(log.path.absolute())],
        "started_at": [_utc(facts.started_at) if facts else None],
        "duration_s": [tracks.duration_ns() / NS_PER_S],
        "status": [race_status([fold.status for fold in replay.lanes.values()])],
        "seed": [facts.seed if facts else None],
        "mono_origin_ns": [head.mono_origin_ns if head else None],
        "racelog_version": [head.racelog_version if head else None],
        "format_version": [head.format if head else None],
        "grid": [facts.grid if facts else None],
        "concurrency": [facts.concurrency if facts else None],
        "winner_lane_id": [verdict.winner],
        "damaged_bytes": [sum(stretch.length for stretch in log.report.damage)],
        "client_limited": [health.client_limited],
        "client_limited_reason": ["; ".join(health.reasons) or None],
        "rate_per_s": [load.rate_per_s],
        "arrival": [load.arrival or None],
        "max_open": [load.max_open],
        "start_spread_us": [load.start_spread_us],
        "imported_from": [facts.imported_from if facts else None],
        "no_winner": [verdict.no_winner or None],
        "not_like_for_like": [verdict.unlike or None],
        "caveat": [verdict.caveat or None],
        "finish_share": [verdict.bound],
    }


def _utc(started_at: str) -> str | None:
    """Return an RFC 3339 time as UTC without its zone, as a TIMESTAMP is written; None if it is no time."""
    try:
        moment = datetime.fromisoformat(started_at)
    except ValueError:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat(sep=" ")


def _lanes(race_id: str, replay: Replay) -> Columns:
    folds, verdict = list(replay.lanes.values()), race_verdict(replay, answered=True)
    facts = [fold.track.facts for fold in folds]
    described = ("engine", "model", "url", "dialect", "color", "emoji", "transport")
    return {
        "race_id": [race_id] * len(folds),
        "lane_id": [fact.lane for fact in facts],
        "t_start_ns": [fold.track.start_ns for fold in folds],
        **{name: [getattr(fact, name) for fact in facts] for name in described},
        "status": [fold.status for fold in folds],
        "t_end_ns": [fold.track.end_ns for fold in folds],
        "reason": [fold.reason or None for fold in folds],
        "kept": [fact.kept for fact in facts],
        "final_place": [verdict.places.get(fact.lane) for fact in facts],
        "dnf": [verdict.dnf.get(fact.lane) for fact in facts],
        "cached_share": [fold.tally.cached_share for fold in folds],
        "request_path": [fact.path or None for fact in facts],
    }


def _health(race_id: str, lanes: Sequence[LaneHealth]) -> Columns:
    read = (
        "client_limited", "samples", "cpu_pct_p50", "full_share", "loop_lag_p99_us", "longest_lag_ms", "late_start_ms", "coalesced_share", "user_share", "late_send_share",
        "most_waiting", "lost_chunks", "lost_events",
    )  # fmt: skip
    found = ("streams", "tokens_per_s", "p50_us", "p99_us", "max_us", "stamp", "tls")
    return {
        "race_id": [race_id] * len(lanes),
        "lane_id": [lane.lane for lane in lanes],
        "reason": ["; ".join(lane.reasons) or None for lane in lanes],
        **{name: [getattr(lane, name) for lane in lanes] for name in read},
        **{f"calibration_{name}": [_calibrated(lane.calibration, name) for lane in lanes] for name in found},
    }


def _calibrated(found: StampError | None, name: str) -> Any:
    return None if found is None else getattr(found, name)


def requests_columns(race_id: str, replay: Replay) -> Columns:
    """Return a row for each request that ``replay`` knows."""
    rows = [request for fold in replay.lanes.values() for request in _in_order(fold)]
    prompts = {row.prompt: prompt_text(replay, row.prompt) for row in rows}
    framed = {lane: frames(fold.track, fold.requests.values()) for lane, fold in replay.lanes.items()}
    around = [framed[row.lane][row.req] for row in rows]
    return {
        "race_id": [race_id] * len(rows),
        "lane_id": [row.lane for row in rows],
        "request_id": [row.req for row in rows],
        "prompt_id": [row.prompt for row in rows],
        "phase": [row.phase for row in rows],
        "status": [row.status for row in rows],
        "error_kind": [row.error or None for row in rows],
        "http_status": [row.http_status for row in rows],
        "t_scheduled_ns": [row.t_scheduled for row in rows],
        "t_sent_ns": [row.t_sent for row in rows],
        "t_headers_ns": [row.t_headers for row in rows],
        "t_first_token_ns": [row.t_first for row in rows],
        "t_last_token_ns": [row.t_last for row in rows],
        "t_end_ns": [row.t_end for row in rows],
        "input_tokens": [row.input_tokens for row in rows],
        "output_tokens": [row.output_tokens for row in rows],
        "token_basis": [row.token_basis for row in rows],
        "chunks": [row.chunks for row in rows],
        "ttft_ms": [row.ttft_ms for row in rows],
        "tpot_ms": [row.tpot_ms for row in rows],
        "e2e_ms": [row.e2e_ms for row in rows],
        "finish_reason": [row.finish_reason or None for row in rows],
        "prompt": [prompts[row.prompt] for row in rows],
        "response": [row.text for row in rows],
        "ttfo_ms": [_ttfo_ms(row) for row in rows],
        "error_message": [row.message or None for row in rows],
        "connection": [row.connection or None for row in rows],
        "queue_ms": [row.queue_ms for row in rows],
        "connect_ms": [_ms(row.connect_ns) for row in rows],
        "dns_ms": [_ms(row.dns_ns) for row in rows],
        "tcp_ms": [_ms(row.tcp_ns) for row in rows],
        "tls_ms": [_ms(row.tls_ns) for row in rows],
        "t_first_chunk_ns": [frame.first_ns for frame in around],
        "t_last_chunk_ns": [frame.last_ns for frame in around],
        "lead_chunks": [frame.lead for frame in around],
        "trail_chunks": [frame.trail for frame in around],
        "cached_tokens": [row.cached_tokens for row in rows],
        "reasoning_tokens": [row.reasoning_tokens for row in rows],
        "total_tokens": [row.total_tokens for row in rows],
        "one_piece": [row.one_piece for row in rows],
    }


def _in_order(fold: LaneFold) -> list[RequestState]:
    return sorted(fold.requests.values(), key=lambda request: request.req)


def _ms(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / NS_PER_MS


def _ttfo_ms(request: RequestState) -> float | None:
    """Return first content chunk minus sent, as docs/metrics.md#ttfo defines it."""
    if request.t_first_content is None or request.t_sent is None:
        return None
    return (request.t_first_content - request.t_sent) / NS_PER_MS


def tokens_columns(race_id: str, track: LaneTrack) -> Columns:
    """Return one lane's token chunks; role-only and bookkeeping chunks are no tokens."""
    letters = np.array(track.kind)
    rows = np.flatnonzero(np.isin(letters, sorted(TOKEN_CODES)))
    request = np.array(track.request, dtype=np.int64)[rows]
    stamps = np.array(track.stamp)[rows]
    coalesced = [letter for letter, (_, joined) in STAMP_CODES.items() if joined]
    return {
        "race_id": np.full(len(rows), race_id, dtype=object),
        "lane_id": np.full(len(rows), track.facts.lane, dtype=np.int64),
        "request_id": request,
        "seq": _running_count(request),
        "t_ns": np.array(track.t, dtype=np.int64)[rows],
        "kind": _in_words(letters[rows], KIND_CODES),
        "text": np.array(track.text, dtype=object)[rows],
        "n_tokens": number_column(track.tokens, np.int64)[rows],
        "stamp": _in_words(stamps, {letter: who for letter, (who, _) in STAMP_CODES.items()}),
        "coalesced": np.isin(stamps, coalesced),
    }


def _in_words(letters: Any, words: dict[str, Any]) -> Any:
    """Return an object array with each letter's word; None for a letter without one."""
    column = np.full(len(letters), None, dtype=object)
    for letter, word in words.items():
        column[letters == letter] = word
    return column


def _running_count(groups: Any) -> Any:
    """Return how many equal values came before each value."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))[: len(ordered)]
    lengths = np.diff(np.concatenate((starts, [len(ordered)])))
    counts = np.empty(len(ordered), dtype=np.int64)
    counts[order] = np.arange(len(ordered)) - np.repeat(starts, lengths)
    return counts


def number_column(values: Sequence[Any], dtype: Any) -> Any:
    """Return numbers with None among them as a masked array of ``dtype``."""
    missing = [value is None for value in values]
    filled = values if not any(missing) else [0 if value is None else value for value in values]
    return np.ma.MaskedArray(np.array(filled, dtype=dtype), mask=missing)


def _host_samples(race_id: str, event: HostSamples) -> Columns:
    times = row_times(event)
    return {
        "race_id": [race_id] * len(times),
        "process": [event.process] * len(times),
        "t_ns": times,
        **{name: _filled(getattr(event, name), len(times)) for name in HOST_FIELDS},
    }


def _gpu_samples(race_id: str, event: GpuSamples) -> Columns:
    times = row_times(event)
    return {
        "race_id": [race_id] * len(times),
        "source": [event.source] * len(times),
        "device": [event.device] * len(times),
        "t_ns": times,
        **{name: _filled(getattr(event, name), len(times)) for name in GPU_FIELDS},
        "name": [event.name or None] * len(times),
    }


def _engine_samples(race_id: str, event: EngineSamples) -> Columns:
    times = row_times(event)
    return {
        "race_id": [race_id] * len(times),
        "lane_id": [event.lane] * len(times),
        "t_ns": times,
        **{name: _filled(getattr(event, name), len(times)) for name in ENGINE_FIELDS},
        "source": [event.source] * len(times),
    }


def _filled(values: list[float | None], rows: int) -> list[float | None]:
    """Return ``values``, or None for every row: a column that a driver does not give is left out of the log."""
    return values or [None] * rows


def _controls(race_id: str, tracks: RaceTracks) -> Columns:
    orders = sorted(tracks.controls, key=lambda order: order.t)
    return {
        "race_id": [race_id] * len(orders),
        "t_ns": [order.t for order in orders],
        "what": [order.what for order in orders],
        "lane_id": [order.lane for order in orders],
        "given_by": [order.by for order in orders],
        "reason": [order.reason or None for order in orders],
    }


def standings_columns(race_id: str, replay: Replay, positions: Iterable[int]) -> Columns:
    """Return who stood where at each of ``positions``, which ``replay`` is moved to one after the other."""
    names = [column.name for column in TABLES["standings"]]
    columns: Columns = {name: [] for name in names}
    for position_ns in positions:
        replay.seek(position_ns)
        verdict = race_verdict(replay)
        for lane in verdict.standings:
            fold = replay.lanes[lane]
            row = (
                race_id, position_ns / NS_PER_S, replay.instant_ns(fold.track), lane, verdict.places.get(lane),
                median(fold.ttft_ms), fold.ok, fold.failed, fold.output_tokens, fold.status, verdict.dnf.get(lane),
            )  # fmt: skip
            for name, value in zip(names, row, strict=True):
                columns[name].append(value)
    return columns


def standing_positions(duration_ns: int) -> list[int]:
    """Return the positions at which standings are told: whole seconds, at most `MOST_STANDINGS`, and the end."""
    return [*range(0, duration_ns, standing_step_ns(duration_ns)), duration_ns] if duration_ns else []


def standing_step_ns(duration_ns: int) -> int:
    """Return how far apart standings are told."""
    return NS_PER_S * max(1, -(-duration_ns // (MOST_STANDINGS * NS_PER_S)))


def _marks(race_id: str, tracks: RaceTracks) -> Columns:
    marks = tracks.marks
    return {
        "race_id": [race_id] * len(marks),
        "t_ns": [mark.t for mark in marks],
        "label": [mark.label for mark in marks],
        "set_by": [mark.by for mark in marks],
    }
