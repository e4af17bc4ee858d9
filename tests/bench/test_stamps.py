"""How far the recorded arrival of a token is from the truth, through the pump and through plain httpx.

Budget (DESIGN.md §10): p50 <= 0.02 ms, p99 <= 0.05 ms. This is a first look at up to 256 streams on a machine that does
other things as well; the thousand-stream figures need a truth server that keeps pace there.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from racelog.events import Head, Tokens
from racelog.log.reader import open_log
from racelog.log.segment import SegmentWriter
from racelog.replay.quantiles import quantile
from racelog_recorder.columns import ChunkColumns
from racelog_recorder.journal import Journal
from racelog_recorder.pump.drain import Pump
from racelog_recorder.request import Requester
from racelog_recorder.spec import LaneSpec

TOKENS = 100


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Start the truth server: 50 ms to the first token, 20 ms between tokens."""
    command = [sys.executable, str(Path(__file__).with_name("truth_server.py")), str(TOKENS), "50", "20"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield int(server.stdout.readline().split()[1])
        server.stdin.close()


def stamp_errors_ms(folder: Path, port: int, streams: int, transport: str) -> tuple[list[float], float]:
    """Record ``streams`` streams at once; return recorded minus true times in order, and the coalesced share.

    A coalesced row says itself that its stamp is only a bound, so it is counted apart.
    """
    path = folder / f"{transport}-{streams}.rlog"
    spec = LaneSpec(
        race_id="r", lane=0, segment=str(path), writer="1", mono_origin_ns=0, racelog_version="0", engine="truth",
        model="m", url=f"http://127.0.0.1:{port}/v1", transport=transport, prompts={0: [{"role": "user", "content": "?"}]},
        order=[0],
    )  # fmt: skip

    async def race() -> None:
        head = Head(t=0, race_id="r", writer="1", role="lane", lane=0, mono_origin_ns=0)
        columns = ChunkColumns(0)
        journal = Journal(SegmentWriter(path, head), head, columns)
        async with trio.open_nursery() as nursery:
            pump = Pump()
            nursery.start_soon(pump.run)
            nursery.start_soon(journal.run)
            async with Requester(spec, journal, columns, pump) as requester, trio.open_nursery() as racing:
                for number in range(streams):
                    racing.start_soon(requester.request, number, 0, "race")
            await journal.finish()
            nursery.cancel_scope.cancel()

    trio.run(race)
    batches = open_log(path).of(Tokens)
    errors, coalesced, total = [], 0, 0
    for batch in batches:
        t = batch.t
        for delta, text, stamp in zip(batch.d, batch.x, batch.s or "k" * len(batch.d), strict=True):
            t += delta
            if text:
                total += 1
                coalesced += stamp.isupper()
                if not stamp.isupper():
                    errors.append((t - int(text)) / 1e6)
    assert total == streams * TOKENS
    return sorted(errors), coalesced / total


@pytest.mark.parametrize("streams", [1, 16, 64, 256])
def test_stamp_error(tmp_path: Path, port: int, streams: int) -> None:
    pumped, coalesced = stamp_errors_ms(tmp_path, port, streams, "pump")
    plain, _ = stamp_errors_ms(tmp_path, port, streams, "httpx")
    row = [f"{quantile(errors, q) or 0:8.3f}" for errors in (pumped, plain) for q in (0.5, 0.99, 1.0)]
    ratio = (quantile(plain, 0.99) or 0) / (quantile(pumped, 0.99) or 1)
    print(
        f"\n{streams:5d} streams   pump p50 {row[0]} p99 {row[1]} max {row[2]} ms, coalesced {coalesced:.2%}"
        f"   httpx p50 {row[3]} p99 {row[4]} max {row[5]} ms   p99 ratio {ratio:.0f}x"
    )
