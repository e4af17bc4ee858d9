"""The shipped recording, and the race it is served for."""

from collections import Counter

import pytest
import trio

from racelog.log.read.reader import open_log
from racelog.replay.race import RaceTracks, Replay
from racelog.views.summary import race_summary
from racelog_recorder.demo import RECORDING, demo_plan, serve_demo
from racelog_recorder.plan.model import EnginePlan, Messages

ENGINE = EnginePlan(name="a", url="http://127.0.0.1:1/v1", model="m")


def test_the_recording_is_whole_small_and_of_two_finished_engines() -> None:
    log = open_log(RECORDING)
    lanes = race_summary(Replay(RaceTracks(log.events))).lanes

    assert log.report.damage == []
    assert [(lane.engine, lane.status, lane.success_rate) for lane in lanes] == [
        ("llama.cpp", "finished", 1.0),
        ("vLLM", "finished", 1.0),
    ]
    assert RECORDING.stat().st_size < 1_000_000


def test_the_demo_asks_what_was_asked_in_the_same_order() -> None:
    plan = demo_plan((ENGINE,))
    tracks = RaceTracks(open_log(RECORDING).events)
    replay = Replay(tracks)
    replay.seek_end()
    raced = sorted((r for r in replay.lanes[0].requests.values() if r.phase == "race"), key=lambda r: r.req)
    asked: list[Messages] = [tracks.prompts[request.prompt].messages for request in raced]

    assert list(plan.prompts) == asked
    assert (plan.requests, plan.shuffle) == (len(asked), False)


def test_the_demo_has_no_prompt_twice() -> None:
    texts = Counter(messages[-1]["content"] for messages in demo_plan((ENGINE,)).prompts)

    assert set(texts.values()) == {1}


@pytest.mark.timeout(60)
def test_the_demos_endpoints_come_up_with_names_and_colours() -> None:
    async def engines() -> tuple[EnginePlan, ...]:
        async with serve_demo() as served:
            return served

    served = trio.run(engines)

    assert [(engine.name, engine.color, engine.emoji) for engine in served] == [
        ("llama.cpp", "#f59e0b", "🦙"),
        ("vLLM", "#3b82f6", "⚡"),
    ]
