"""A lane's requests without the lane: a real `Requester` against a real socket, and the log it leaves."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio

from racelog.events import RequestEnd
from racelog.log.read.reader import RaceLog, open_log
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import Plan, ScriptedRace
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.journal.journal import Journal
from racelog_recorder.protocol.messages import LaneSpec
from racelog_recorder.requests.request import Requester
from racelog_recorder.transports.pump.drain import Pump


def recorded(tmp_path: Path, url: str, *, clock: Any = None, requests: int = 1, **options: Any) -> RaceLog:
    """Run ``requests`` requests against ``url`` one after another; return the log they leave."""

    async def in_turn(requester: Requester, _columns: ChunkColumns) -> None:
        for number in range(requests):
            await requester.request(number, 0, "race")

    return _raced(tmp_path, url, in_turn, clock, **options)


def cancelled_at_first_token(tmp_path: Path, url: str) -> RaceLog:
    """Run one request and cancel it when its first token is in; return the log it leaves."""

    async def until_token(requester: Requester, columns: ChunkColumns) -> None:
        async with trio.open_nursery() as racing:
            racing.start_soon(requester.request, 0, 0, "race")
            while not len(columns):
                await trio.lowlevel.checkpoint()
            racing.cancel_scope.cancel()

    return _raced(tmp_path, url, until_token)


def _raced(
    tmp_path: Path,
    url: str,
    race: Callable[[Requester, ChunkColumns], Awaitable[None]],
    clock: Any = None,
    **options: Any,
) -> RaceLog:
    path = tmp_path / "lane-0.rlog"
    spec = LaneSpec(
        race_id="r", lane=0, segment=str(path), writer="0000000000000001", mono_origin_ns=0, racelog_version="0",
        engine="e", model="m", url=url, prompts={0: [{"role": "user", "content": "hi"}]}, order=[0],
        **{"transport": "pump", **options},
    )  # fmt: skip

    async def main() -> None:
        head = ScriptedRace([Plan("e")]).head(1, "lane", 0)
        columns = ChunkColumns(0)
        journal = Journal(SegmentWriter(path, head), head, columns)
        async with trio.open_nursery() as nursery:
            pump = Pump()
            nursery.start_soon(pump.run)
            async with Requester(spec, journal, columns, pump) as requester:
                await race(requester, columns)
            await journal.finish()
            nursery.cancel_scope.cancel()

    trio.run(main, clock=clock)
    return open_log(path)


def outcome(log: RaceLog) -> tuple[str, str]:
    """Return status and error kind of the log's only request."""
    (end,) = log.of(RequestEnd)
    return end.status, end.error
