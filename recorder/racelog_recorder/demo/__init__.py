"""The demo race: a recording of two real engines, served again on loopback and raced as if it were today.

``demo.rlog`` was made with racelog itself; docs/demo-recording.md has the recipe.
"""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import trio
from msgspec import Struct

from racelog.errors import RacelogError
from racelog.events import RequestScheduled
from racelog.log.read.reader import open_log
from racelog.replay.race import RaceTracks
from racelog_recorder.plan.model import EnginePlan, RacePlan
from racelog_recorder.processes import own_process

RECORDING = Path(__file__).with_name("demo.rlog")


class _Endpoint(Struct):
    engine: str
    model: str
    url: str
    color: str = ""
    emoji: str = ""


class _Served(Struct):
    lanes: list[_Endpoint]


@asynccontextmanager
async def serve_demo(speed: float = 1.0) -> AsyncIterator[tuple[EnginePlan, ...]]:
    """Serve the shipped recording from a process of its own; give its endpoints as engines.

    Raises:
        RacelogError: the server did not come up; the message has what it said.
    """
    command = [
        *own_process("racelog"),
        "serve",
        "--demo",
        "--while-stdin",
        "--json",
        "--speed",
        f"{speed:g}x",
    ]
    process = await trio.lowlevel.open_process(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        served = await _first_line(process)
        yield tuple(
            EnginePlan(name=lane.engine, url=lane.url, model=lane.model, color=lane.color, emoji=lane.emoji)
            for lane in served.lanes
        )
    finally:
        process.terminate()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _first_line(process: trio.Process) -> _Served:
    """Return what the server says when it is ready."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = bytearray()
    while not line.endswith(b"\n"):
        data = await process.stdout.receive_some()
        if not data:
            said = bytes(await process.stderr.receive_some()).decode("utf-8", "replace").strip()
            raise RacelogError(f"the demo's endpoints did not start: {said or 'no reason given'}")
        line += data
    return msgspec.json.decode(bytes(line), type=_Served)


def unserved_engines() -> tuple[EnginePlan, ...]:
    """Return the demo's engines as they are while nobody serves them: without an address that answers."""
    lanes = RaceTracks(open_log(RECORDING).events).lanes.values()
    return tuple(
        EnginePlan(
            name=lane.facts.engine, url="http://127.0.0.1/v1", model=lane.facts.model, color=lane.facts.color,
            emoji=lane.facts.emoji,
        )
        for lane in lanes
    )  # fmt: skip


def demo_plan(engines: tuple[EnginePlan, ...]) -> RacePlan:
    """Return the plan of the demo race: what was asked then, in the same order, asked again of ``engines`` at once."""
    tracks = RaceTracks(open_log(RECORDING).events)
    facts = tracks.facts
    assert facts is not None
    first = next(iter(tracks.lanes.values()))
    asked = [event for event in first.events if isinstance(event, RequestScheduled) and event.phase == "race"]
    return RacePlan(
        name=f"Demo from a recording: {' vs '.join(engine.name for engine in engines)}",
        engines=engines,
        requests=facts.requests,
        concurrency=facts.concurrency,
        shuffle=False,
        params=dict(facts.plan.get("params", {})),
        prompts=tuple(
            tracks.prompts[event.prompt].messages for event in sorted(asked, key=lambda event: event.req)
        ),
        prompts_from="demo recording",
    )
