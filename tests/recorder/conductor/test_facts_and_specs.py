"""What a race's log begins with and what its processes are told: made from the setup alone, without a process."""

import json
from pathlib import Path

import msgspec
import pytest

from racelog.errors import InputError
from racelog.events import LaneFacts, Note, Prompt, RaceFacts
from racelog_recorder.conductor.facts import lane_facts, opening_events, race_facts
from racelog_recorder.conductor.setup import RaceSetup, set_up
from racelog_recorder.conductor.specs import lane_spec, telemetry_spec
from racelog_recorder.journal.durability import Durability
from racelog_recorder.plan.flags import plan_from_flags
from racelog_recorder.plan.model import traffic_of
from racelog_recorder.preflight.preflight import Checked

KEY = "sk-proj-0123456789abcdef"
ENGINES = ("a=http://h/v1?team=red,api_key_env=A_KEY", "b=http://i/v1")


def setup(**flags: object) -> RaceSetup:
    plan = plan_from_flags(ENGINES, **flags)
    return set_up(plan, [Checked("m"), Checked(f"n {KEY}")], {"a": KEY, "b": KEY}, "r-1", Durability())


def test_the_log_begins_with_the_race_then_its_lanes_then_every_prompt_that_is_sent() -> None:
    race = setup(requests=3, warmup=2)
    kinds = [type(event) for event in opening_events(race, {})]

    assert kinds[1:] == [RaceFacts, LaneFacts, LaneFacts, *[Prompt] * len(race.prompts)]
    assert len(race.order) == 5


def test_a_remark_of_the_preflight_is_a_note_of_its_lane() -> None:
    race = setup()
    race.engines[1] = Checked("m", remark="says another model")
    (note,) = [event for event in opening_events(race, {}) if isinstance(event, Note)]

    assert (note.lane, note.text) == (1, "says another model")


def test_no_key_is_among_the_facts() -> None:
    facts = json.loads(msgspec.json.encode(list(opening_events(setup(), {}))))

    assert KEY not in json.dumps(facts)


def test_an_open_loop_is_told_with_its_rate_and_no_concurrency() -> None:
    facts = race_facts(setup(rate="5/s", max_open=2), {})

    assert (facts.rate_per_s, facts.arrival, facts.max_open, facts.concurrency) == (5.0, "poisson", 2, 0)


def test_a_lane_s_parameters_are_the_race_s_and_its_own() -> None:
    assert lane_facts(setup(max_tokens=7), 0).params == {"max_tokens": 7, "temperature": 0.0}


def test_every_lane_is_told_the_same_order_and_the_plan_s_traffic_whole() -> None:
    race = setup(requests=4, warmup=1, grace="7s", seed=3)
    specs = [lane_spec(race, lane, Path("live")) for lane in (0, 1)]

    assert [spec.order for spec in specs] == [race.order[1:]] * 2
    assert [spec.traffic for spec in specs] == [traffic_of(race.plan)] * 2
    assert specs[0].traffic.grace_s == 7.0


def test_a_lane_gets_the_key_of_its_own_engine() -> None:
    plan = plan_from_flags(ENGINES)
    race = set_up(plan, [Checked("m"), Checked("m")], {"a": KEY}, "", Durability())

    assert [lane_spec(race, lane, Path()).api_key for lane in (0, 1)] == [KEY, ""]


@pytest.mark.parametrize(("flags", "asked"), [({}, []), ({"metrics": True}, ["a", "b"])])
def test_the_telemetry_knows_the_engines_if_the_plan_asks_for_their_metrics(
    flags: dict[str, bool], asked: list[str]
) -> None:
    spec = telemetry_spec(setup(**flags), Path("live"))

    assert [target.engine for target in spec.engines] == asked


def test_a_cpu_that_is_not_there_is_refused_before_the_start() -> None:
    with pytest.raises(InputError, match="pin"):
        setup(pin="4000")
