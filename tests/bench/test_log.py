"""What a token costs in a log, how fast it is written and read, and how far a seek goes: beside peers and budgets.

Run by `make bench`, never by `make test`. Prints tables; asserts only that what was read is what was written. Times are
of the process's own CPU where nothing waits for the disk, so that a busy neighbour changes them little.
"""

import random
import shutil
import time
from pathlib import Path

import pytest

import racelog
from racelog.events import AnyEvent, Head, Tokens
from racelog.log.read.reader import open_log
from racelog.log.rewrite.seal import seal
from racelog.log.rows.chunks import chunk_rows
from racelog.log.write.segment import SegmentWriter
from tests.bench.floor import gap_bytes, text_bytes
from tests.bench.peers import PEERS, Chunk
from tests.bench.workload import CORPUS, MadeRace, corpus_answers

PEER_TOKENS = 120_000
HOUR_TOKENS = 1_200_000


def table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    widths = [max(len(line[i]) for line in [heads, *rows]) for i in range(len(heads))]
    print(f"\n{title}\n")
    for line in [heads, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")


def against(measured: float, budget: float, *, most: bool) -> str:
    kept = measured <= budget if most else measured >= budget
    return f"{'<=' if most else '>='} {budget:g}: {'kept' if kept else 'MISSED'}"


def cpu_s(work, *, times: int = 1) -> float:
    """Return the least CPU of ``times`` runs: a busy neighbour on the other half of the core can only add to it."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def append(race: MadeRace, units: dict[int, list[list[AnyEvent]]], folder: Path) -> None:
    """Write a race's units as its recorder would."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for lane, flushes in units.items():
        with SegmentWriter(folder / f"lane-{lane}.rlog", race.head(lane)) as writer:
            for events in flushes:
                writer.commit(events)


def tok_bytes(path: Path, tmp_path: Path) -> tuple[int, int]:
    """Return how many chunks a log has, and the bytes of a sealed log of those alone."""
    log = open_log(path)
    head = log.first(Head)
    assert head is not None
    folder = tmp_path / "alone.live"
    folder.mkdir()
    with SegmentWriter(folder / "a.rlog", head) as writer:
        writer.commit(list(log.of(Tokens)))
        writer.finish(log.events[-1].t)
    return log.report.chunks, seal(folder, tmp_path / "alone.rlog").stat().st_size


def test_a_sealed_log_beside_its_floor(tmp_path: Path) -> None:
    rows = []
    answers = (
        corpus_answers()
    )  # on one lane each is played once, so that the floor's text repeats no more than it did
    tokens = sum(map(len, answers))
    made = MadeRace(tokens=tokens, seconds=tokens / 700, lanes=1, answers=answers).write_segments(
        tmp_path / "made.live"
    )
    sealed = seal(made, tmp_path / "made.rlog")
    for name, path in (
        ("llama.cpp, 16 streams, its own timing", CORPUS),
        ("vLLM, 8 streams, its own timing", CORPUS.with_name("smollm2-vllm.rlog")),
        ("llama.cpp's texts, 16 streams, 700 tokens/s", sealed),
    ):
        batches = list(open_log(path).of(Tokens))
        folder = tmp_path / path.stem
        folder.mkdir()
        chunks, alone = tok_bytes(path, folder)
        text, gaps = text_bytes(batches) / chunks, gap_bytes(batches) / chunks
        ratio = alone / chunks / (text + gaps)
        rows.append(
            [name, f"{chunks:,}", f"{text:.2f}", f"{gaps:.2f}", f"{alone / chunks:.2f}", f"{ratio:.2f}",
             against(ratio, 1.3, most=True), f"{path.stat().st_size / chunks:.2f}"]
        )  # fmt: skip
    heads = ["sealed", "chunks", "text", "gaps", "B/token", "x floor", "budget", "whole file"]
    table("Sealed, B per token; floor = text alone at level 19 + entropy of the gaps", heads, rows)


def test_a_live_log_by_rate(tmp_path: Path) -> None:
    answers = corpus_answers()
    rows = []
    for rate, streams in ((70, 4), (300, 8), (1_000, 16), (3_000, 64), (10_000, 256)):
        race = MadeRace(tokens=rate * 20, seconds=20, lanes=1, streams=streams, answers=answers)
        log = open_log(race.write_segments(tmp_path / f"{rate}.live"))
        size = log.report.bytes / log.report.chunks
        rows.append(
            [f"{rate:,}", f"{streams}", f"{size:.2f}", against(size, 9, most=True) if rate >= 300 else ""]
        )
    table(
        "Live, one lane flushed every 250 ms, B per token", ["tokens/s", "streams", "B/token", "budget"], rows
    )


def test_writing_and_reading_beside_peers(tmp_path: Path) -> None:
    race = MadeRace(tokens=PEER_TOKENS, seconds=60)
    units = {lane: list(race.lane_units(lane)) for lane in range(race.lanes)}
    chunks: list[Chunk] = sorted(
        (t, lane, request, text)
        for lane, flushes in units.items()
        for events in flushes
        for batch in events
        if isinstance(batch, Tokens)
        for t, request, text, *_ in chunk_rows(batch)
    )
    live = tmp_path / "race.live"
    millions = len(chunks) / 1e6
    busy = MadeRace(tokens=PEER_TOKENS, seconds=PEER_TOKENS / 30_000)
    busy_units = {lane: list(busy.lane_units(lane)) for lane in range(busy.lanes)}
    busy_s = cpu_s(lambda: append(busy, busy_units, tmp_path / "busy.live"), times=5)

    measured = [
        (
            "racelog, live",
            cpu_s(lambda: append(race, units, live), times=5),
            cpu_s(lambda: open_log(live), times=5),
            open_log(live).report.bytes,
        )
    ]
    sealing = cpu_s(lambda: seal(live, tmp_path / "race.rlog"))
    sealed = tmp_path / "race.rlog"
    assert open_log(sealed).report.chunks == len(chunks)
    measured.append(
        ("racelog, sealed", sealing, cpu_s(lambda: open_log(sealed), times=5), sealed.stat().st_size)
    )
    for number, peer in enumerate(PEERS):
        path = tmp_path / f"peer-{number}"
        writing = cpu_s(lambda peer=peer, path=path: peer.write(path, chunks))
        reading = cpu_s(lambda peer=peer, path=path: peer.read(path), times=2)
        assert peer.read(path) == len(chunks)
        measured.append((peer.name, writing, reading, path.stat().st_size))
    _, append_s, read_s, _ = measured[0]
    rows = [
        [name, f"{size / len(chunks):.2f}", f"{size / measured[1][3]:.2f}", f"{millions / write:.3f}",
         f"{write / append_s:.1f}", f"{millions / read:.3f}", f"{read / read_s:.1f}"]
        for name, write, read, size in measured
    ]  # fmt: skip
    heads = ["format", "B/token", "x sealed", "write M/s", "x slower", "read M/s", "x slower"]
    table(f"{len(chunks):,} chunks of 3 lanes x 16 streams in 60 s, CPU of one core", heads, rows)
    slow = f"in units of a lane at 670 tokens/s: {millions / append_s:.2f} M/s"
    print(
        f"\nappend, a lane at 10,000 tokens/s: {millions / busy_s:.2f} M/s, budget {against(millions / busy_s, 1, most=False)}; {slow}"
    )
    print(f"read live, budget {against(millions / read_s, 2, most=False)}")
    print(f"read sealed, budget {against(millions / measured[1][2], 2, most=False)}")


def test_a_race_of_ten_minutes(tmp_path: Path) -> None:
    live = MadeRace(tokens=HOUR_TOKENS, seconds=600).write_segments(tmp_path / "ten.live")
    report = open_log(live).report
    sealed = seal(live, tmp_path / "ten.rlog").stat().st_size
    rows = [
        ["live", f"{report.bytes / 1e6:.2f}", f"{report.bytes / report.chunks:.2f}", ""],
        ["sealed", f"{sealed / 1e6:.2f}", f"{sealed / report.chunks:.2f}",
         f"{against(sealed / 1e6, 7, most=True)} (llm-locust's plan: {against(sealed / 1e6, 10, most=True)})"],
    ]  # fmt: skip
    title = f"A ten-minute race of {report.chunks:,} tokens, requests and all"
    table(title, ["log", "MB", "B/token", "budget, MB"], rows)


@pytest.mark.parametrize("sealed", [False, True], ids=["live", "sealed"])
def test_seeking_in_an_hour(tmp_path: Path, sealed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    path = MadeRace(tokens=HOUR_TOKENS, seconds=3600).write_segments(tmp_path / "hour.live")
    if sealed:
        path = seal(path, tmp_path / "hour.rlog")
    start = time.perf_counter()
    log = racelog.open(path)
    opening_ms = (time.perf_counter() - start) * 1e3
    draw = random.Random(3)
    seeks = []
    for _ in range(200):
        at = int(draw.uniform(0, 3599) * 1e9)
        start = time.perf_counter()
        assert list(log.select(start_ns=at, end_ns=at + 1_000_000_000))
        seeks.append((time.perf_counter() - start) * 1e3)
    seeks.sort()
    whole = cpu_s(lambda: list(racelog.open(path).select()))
    rows = [
        [f"{len(log.index):,}", f"{opening_ms:.1f}", f"{seeks[100]:.1f}", f"{seeks[190]:.1f}",
         against(seeks[190], 50, most=True), f"{whole * 1e3:.0f}"]
    ]  # fmt: skip
    heads = ["units", "open, ms", "seek p50", "seek p95", "budget", "reading all, in order, ms"]
    table(f"One second from anywhere in an hour of {HOUR_TOKENS:,} tokens, {path.suffix}", heads, rows)
