"""The player's budgets (docs/benchmarks.md): opening, folding and seeking in a one-hour race, and frames.

CPU time of this process, so that a neighbour on the machine changes little; run by ``make bench``.
"""

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from racelog.events import AnyEvent, LaneEnd, LaneStart
from racelog.log.read.reader import open_log
from racelog.log.rewrite.seal import seal
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import race_view
from racelog.views.story.engine import story
from racelog_player.controller.player import Player
from racelog_player.panes.screen import screen
from racelog_player.terminal.canvas import Canvas, Depth
from racelog_player.terminal.style import Look
from tests.bench.workload import MadeRace
from tests.player.theatre import Still

TOKENS, HOUR_S = 1_200_000, 3600
MS = 1_000


def timed(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds that ``work`` took."""
    before = time.process_time()
    work()
    return (time.process_time() - before) * MS


def spread(values: list[float]) -> str:
    ordered = sorted(values)
    return f"p50 {ordered[len(ordered) // 2]:.2f} ms, p95 {ordered[int(len(ordered) * 0.95)]:.2f}, p99 {ordered[int(len(ordered) * 0.99)]:.2f}"


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a sealed race of an hour, its lanes started and ended."""
    folder = tmp_path_factory.mktemp("hour")
    live = MadeRace(TOKENS, HOUR_S, lanes=3, streams=16).write_segments(folder / "hour.live")
    seal(live, folder / "hour.rlog")
    return folder / "hour.rlog"


def test_an_hour_is_opened_folded_and_sought_in(hour: Path) -> None:
    opened: dict[str, list[AnyEvent]] = {}
    read = timed(lambda: opened.update(events=open_log(hour).events))
    events = [*opened["events"]]
    events += [LaneStart(t=0, lane=lane) for lane in range(3)]
    events += [LaneEnd(t=HOUR_S * 10**9, lane=lane, status="finished") for lane in range(3)]
    events.sort(key=lambda event: event.t)
    tracks = RaceTracks()
    sort = timed(lambda: tracks.extend(events))
    replay = Replay(tracks)
    fold = timed(replay.seek_end)
    draw = Random(1)
    seeks: list[float] = []
    for _ in range(400):
        target = draw.randrange(HOUR_S * 10**9)
        before = time.process_time()
        replay.seek(target)
        race_view(replay)
        seeks.append((time.process_time() - before) * MS)
    told = timed(lambda: story(tracks))
    frames = sum(len(kept) for kept in replay.keyframes.values())
    print(
        f"\nopen {read:.0f} ms, into tracks {sort:.0f} ms, fold {fold:.0f} ms: {TOKENS / fold / 1000:.1f} M tokens/s"
    )
    print(f"read and fold {TOKENS / (read + sort + fold) / 1000:.2f} M tokens/s")
    print(f"seek and view, anywhere: {spread(seeks)}; {frames} keyframes; the story {told:.0f} ms")
    print(f"RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    assert sorted(seeks)[int(len(seeks) * 0.95)] <= 50


PAGES = {
    "race": "", "answers": "i", "timeline": "t", "charts": "c", "details": "d", "achievements": "a", "insights": "n",
    "health": "H",
}  # fmt: skip


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 60)])
@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("page", PAGES)
def test_a_frame_of_ten_lanes(page: str, fps: int, columns: int, rows: int) -> None:
    race = ScriptedRace(
        [Plan(f"engine-{i}", ttft_ms=100 + 17 * i, requests=200, tokens=60) for i in range(10)]
    )
    player = Player(Still(RaceTracks(race.events())), Playhead(0, 0))
    player.scene(0)
    for key in PAGES[page]:
        player.press(key, 0)
    canvas, look = Canvas(Depth.TRUE), Look()
    took: list[float] = []
    for frame in range(10 * fps):
        now = 200 * 10**9 + frame * 10**9 // fps
        before = time.process_time()
        canvas.frame(screen(player.scene(now), look, columns, rows), columns, rows)
        took.append((time.process_time() - before) * MS)
    took = took[fps:]
    share = sum(took) / len(took) / 1000 * fps
    print(f"\n{page} {columns}x{rows}: {spread(took)}, {share:.0%} of a core at {fps} FPS")


def test_a_playhead_at_1x_does_not_drift() -> None:
    """Frames at 60 a second with real sleeps: what the race's clock shows against the machine's, a minute unless asked."""
    length_ns = int(float(os.environ.get("RACELOG_BENCH_DRIFT_S", "60")) * 10**9)
    began = time.monotonic_ns()
    head = Playhead(0, began)
    off: list[int] = []
    while (now := time.monotonic_ns()) - began < length_ns:
        off.append(abs(head.position_ns(now, 2 * length_ns) - (now - began)))
        time.sleep(1 / 60)
    print(
        f"\ndrift at 1x over {length_ns / 10**9:g} s, {len(off)} frames: {max(off)} ns at most, {off[-1]} ns at the end"
    )
    assert max(off) == 0
