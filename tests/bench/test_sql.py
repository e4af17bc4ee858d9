"""SQL over many races, warm and cold, beside the same questions on JSON lines and in SQLite. Budgets: docs/benchmarks.md.

Races are written straight into the cache, by the writer that caches every race: folding 1,000 logs first would measure
the fold. `RACELOG_BENCH_RACES` is how many (20; the budgets are for 1,000), each of 100,000 token chunks.
"""

import json
import os
import resource
import shutil
import sqlite3
import statistics
import time
from pathlib import Path

import numpy as np
import pytest

import racelog
from racelog.events import LaneStart
from racelog.log.format.names import SEGMENT_SUFFIX
from racelog.log.write.segment import SegmentWriter
from racelog.query.cache.cache import Cache, write_tables
from racelog.query.contract.tables import TABLES, Batch, Columns
from tests.bench.test_log import against, table
from tests.bench.workload import MadeRace

RACES = int(os.environ.get("RACELOG_BENCH_RACES", "20"))
REQUESTS, PER_REQUEST = 500, 200
TOKENS = REQUESTS * PER_REQUEST
PEER_RACES = 3
WORDS = np.array([f" w{i}" for i in range(5_000)], dtype=object)

QUERIES = {
    "requests: p50, p99 by lane": "select lane_id, p50(ttft_ms), p99(ttft_ms) from requests where phase = 'race' group by 1 order by 1",
    "tokens: exact p50, p99": "select quantile_cont(t_ns, [0.5, 0.99]) from tokens",
    "one race's requests": "select count(*), sum(e2e_ms) from requests where race_id = 'race-00007'",
    "one race's tokens": "select count(*), max(t_ns) from tokens where race_id = 'race-00007'",
    "one race's ITL p99": """select p99(gap) from (select t_ns - lag(t_ns) over (partition by lane_id, request_id order by seq)
        as gap from tokens where race_id = 'race-00007')""",
}  # fmt: skip


def made_batches(number: int) -> list[Batch]:
    """Return a race's rows: two lanes, 500 requests, 100,000 token chunks with real-looking gaps."""
    chance = np.random.default_rng(number)
    race_id = f"race-{number:05}"
    owner = np.repeat(np.arange(REQUESTS), PER_REQUEST)
    gaps = chance.lognormal(16.8, 0.3, TOKENS).astype(np.int64)
    times = gaps.reshape(REQUESTS, PER_REQUEST).cumsum(axis=1).ravel() + owner * 50_000_000
    order = np.argsort(times, kind="stable")
    tokens = {
        "race_id": np.full(TOKENS, race_id, dtype=object), "lane_id": (owner % 2)[order], "request_id": owner[order],
        "seq": np.tile(np.arange(PER_REQUEST), REQUESTS)[order], "t_ns": times[order],
        "kind": np.full(TOKENS, "content", dtype=object), "text": WORDS[chance.zipf(1.3, TOKENS) % len(WORDS)],
        "n_tokens": np.ones(TOKENS, dtype=np.int64), "stamp": np.full(TOKENS, "kernel", dtype=object),
        "coalesced": np.zeros(TOKENS, dtype=np.bool_),
    }  # fmt: skip
    known = {
        "race_id": [race_id] * REQUESTS, "lane_id": [i % 2 for i in range(REQUESTS)], "request_id": list(range(REQUESTS)),
        "phase": ["race"] * REQUESTS, "status": ["ok"] * REQUESTS, "ttft_ms": chance.lognormal(5, 0.5, REQUESTS).tolist(),
        "e2e_ms": chance.lognormal(8, 0.3, REQUESTS).tolist(), "output_tokens": [PER_REQUEST] * REQUESTS,
    }  # fmt: skip
    requests: Columns = {
        column.name: known.get(column.name, [None] * REQUESTS) for column in TABLES["requests"]
    }
    race = {column.name: [race_id if column.name == "race_id" else None] for column in TABLES["races"]}
    return [("races", race), ("requests", requests), ("tokens", tokens)]


def fill(home: Path) -> tuple[float, int]:
    """Put the races into the cache of ``home``; return the seconds that writing took, and the bytes."""
    (home / "races").mkdir(parents=True)
    cache, spent, size = Cache(home), 0.0, 0
    for number in range(RACES):
        log = home / "races" / f"race-{number:05}{SEGMENT_SUFFIX}"
        log.write_bytes(b"stands for a log that is folded already")
        batches = made_batches(number)
        start = time.process_time()
        kept = cache.keep(cache.name(log), log, batches, [])
        spent += time.process_time() - start
        size += sum(kept.entry.bytes.values())
    return spent, size


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def test_sql_over_many_races_beside_its_budgets(tmp_path: Path) -> None:
    spent, size = fill(tmp_path)
    tokens = RACES * TOKENS
    rows = []
    first = seconds(lambda: racelog.connect(home=tmp_path).close())
    for name, query in QUERIES.items():
        opening = seconds(lambda: racelog.connect(home=tmp_path).close())
        connection = racelog.connect(home=tmp_path)
        cold = seconds(lambda q=query, c=connection: c.execute(q).fetchall())
        warm = statistics.median(
            seconds(lambda q=query, c=connection: c.execute(q).fetchall()) for _ in range(5)
        )
        rows.append([name, f"{opening:.3f}", f"{cold:.3f}", f"{warm:.3f}", budget(name, warm, tokens)])
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table(
        f"{RACES} races, {tokens:,} token chunks: {size / tokens:.2f} B a chunk, written at {tokens / spent / 1e6:.2f} M "
        f"chunks/s of CPU; first connect {first:.2f} s; peak {peak_mib:.0f} MiB",
        ["query", "connect s", "cold s", "warm s", "budget (1,000 races)"], rows,
    )  # fmt: skip
    assert connection.execute("select count(*) from tokens").fetchall() == [(tokens,)]


def budget(name: str, warm: float, tokens: int) -> str:
    if name.startswith("requests"):
        return against(warm, 0.3, most=True)
    if name.startswith("tokens"):
        return f"{tokens / warm / 1e6:.1f} M/s {against(tokens / warm / 1e6, 20, most=False)}"
    return against(warm, 0.15, most=True)


def test_the_same_questions_on_json_lines_and_in_sqlite(tmp_path: Path) -> None:
    races = [dict(made_batches(number)) for number in range(PEER_RACES)]
    sizes = [sum(write_tables_in(tmp_path / f"{n}", race).values()) for n, race in enumerate(races)]
    lines, database = tmp_path / "tokens.jsonl", tmp_path / "tokens.sqlite"
    write_lines(lines, races)
    write_sqlite(database, races)
    tokens = PEER_RACES * TOKENS
    files = [str(tmp_path / f"{n}" / "tokens.parquet") for n in range(PEER_RACES)]

    def ours() -> float:
        import duckdb  # noqa: PLC0415 - only here, and its import is not what is measured

        with duckdb.connect() as connection:
            (found,) = connection.execute(
                "select quantile_disc(t_ns, 0.5) from read_parquet(?)", [files]
            ).fetchall()
        return float(found[0])

    def by_lines() -> float:
        with lines.open() as file:
            times = sorted(row["t_ns"] for row in map(json.loads, file))
        return float(times[(len(times) - 1) // 2])

    def by_sqlite() -> float:
        with sqlite3.connect(database) as connection:
            query = (
                "select t_ns from tokens order by t_ns limit 1 offset (select (count(*) - 1) / 2 from tokens)"
            )
            return float(connection.execute(query).fetchone()[0])

    rows = []
    for name, size, work in (
        ("racelog's Parquet", sum(sizes), ours),
        ("JSON lines, as aiperf exports", lines.stat().st_size, by_lines),
        ("SQLite", database.stat().st_size, by_sqlite),
    ):
        took = min(seconds(work) for _ in range(3))
        rows.append([name, f"{size / tokens:.1f}", f"{took:.3f}", f"{tokens / took / 1e6:.2f}"])
    table(f"Exact median of {tokens:,} instants", ["store", "B a chunk", "s", "M chunks/s"], rows)
    assert ours() == by_lines() == by_sqlite()


def write_tables_in(folder: Path, race: dict[str, Columns]) -> dict[str, int]:
    folder.mkdir()
    return write_tables(folder, list(race.items()))


def write_lines(path: Path, races: list[dict[str, Columns]]) -> None:
    names = [column.name for column in TABLES["tokens"]]
    with path.open("w") as file:
        for race in races:
            columns = [np.asarray(race["tokens"][name]).tolist() for name in names]
            file.writelines(
                json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in zip(*columns, strict=True)
            )


def write_sqlite(path: Path, races: list[dict[str, Columns]]) -> None:
    names = [column.name for column in TABLES["tokens"]]
    with sqlite3.connect(path) as connection:
        connection.execute(f"create table tokens ({', '.join(names)})")
        for race in races:
            columns = [np.asarray(race["tokens"][name]).tolist() for name in names]
            connection.executemany(
                f"insert into tokens values ({', '.join('?' * len(names))})", zip(*columns, strict=True)
            )


GROWN_S, GROWN_TOKENS = 600.0, int(os.environ.get("RACELOG_BENCH_TOKENS", "1_200_000"))
QUESTIONS = 10
ASK_EVERY_S = 2


class GrowingLog:
    """A race of three lanes written as far as it is asked for, flush by flush, as its recorder would."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        made = MadeRace(GROWN_TOKENS, GROWN_S)
        self._units = [iter(made.lane_units(lane)) for lane in range(made.lanes)]
        self._writers = [
            SegmentWriter(folder / f"lane-{lane}{SEGMENT_SUFFIX}", made.head(lane))
            for lane in range(made.lanes)
        ]
        for lane, writer in enumerate(self._writers):
            writer.commit([*next(self._units[lane]), LaneStart(t=0, lane=lane)])

    def grow(self, until_s: float) -> None:
        for units, writer in zip(self._units, self._writers, strict=True):
            for unit in units:
                writer.commit(unit)
                if unit[-1].t > until_s * 1e9:
                    break

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


def rows_of(connection) -> dict[str, list[str]]:
    return {
        name: sorted(map(repr, connection.execute(f"from {name}").fetchall()))
        for name in TABLES
        if name != "tokens"
    }


def test_questions_on_a_race_that_grows_beside_reading_it_anew(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    opening = min(cpu_seconds(lambda: racelog.connect(home=tmp_path / "empty").close()) for _ in range(3))
    log = GrowingLog(tmp_path / "races" / "made.live")
    rows = []
    for share in (0.25, 0.5, 0.95):
        reached = GROWN_S * share
        log.grow(reached)
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        first = cpu_seconds(lambda: racelog.connect(home=tmp_path).close())
        later = []
        for question in range(QUESTIONS):
            log.grow(reached + (question + 1) * ASK_EVERY_S)
            later.append(cpu_seconds(lambda: racelog.connect(home=tmp_path).close()))
        cold = cpu_seconds(lambda: racelog.connect(home=tmp_path, cache=False).close())
        middle = statistics.median(later)
        rows.append([f"{reached:.0f} s", f"{cold:.2f}", f"{first:.2f}", f"{later[0]:.2f}", f"{middle:.2f}", f"{max(later):.2f}", f"{cold / middle:.1f}"])  # fmt: skip
    log.close()
    table(
        f"A race of {GROWN_TOKENS / GROWN_S:,.0f} token chunks/s on 3 lanes, asked every {ASK_EVERY_S} s: CPU seconds of a question "
        f"(of no race at all: {opening:.2f})",
        ["race so far", "anew", "first", "second", "median", "longest", "anew / median"], rows,
    )  # fmt: skip
    with racelog.connect(home=tmp_path) as told, racelog.connect(home=tmp_path, cache=False) as anew:
        assert rows_of(told) == rows_of(anew)
        compared = "select count(*), sum(hash(tokens)) from tokens"
        assert told.execute(compared).fetchall() == anew.execute(compared).fetchall()


def cpu_seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    pytest.main([__file__, "-q", "-s", "-p", "no:randomly", "--timeout=0"])
