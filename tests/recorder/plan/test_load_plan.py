"""A plan's load: rate, arrival, caps, grace and CPUs, from a file and from flags."""

from pathlib import Path

import pytest

from racelog.errors import PlanError
from racelog_recorder.plan.arrivals import OpenLoop
from racelog_recorder.plan.file import parse_plan
from racelog_recorder.plan.flags import override, plan_from_flags
from racelog_recorder.plan.model import RacePlan
from racelog_recorder.plan.public import public_plan

ENGINE = "engines: [{name: a, url: 'http://h/v1'}]\n"


def read(text: str) -> RacePlan:
    return parse_plan(ENGINE + text, "race.yaml", Path())


def test_a_plan_without_a_rate_is_a_closed_loop() -> None:
    assert read("concurrency: 8").load is None


@pytest.mark.parametrize(
    ("rate", "per_s"), [("50", 50.0), ("50/s", 50.0), ("90/min", 1.5), ("1800/h", 0.5), ("0.25", 0.25)]
)
def test_a_rate_is_a_number_or_says_per_what(rate: str, per_s: float) -> None:
    assert read(f"rate: {rate}").load == OpenLoop(rate_per_s=per_s)


def test_every_field_of_an_open_loop_is_kept() -> None:
    plan = read("rate: 5/s\narrival: gamma\nburstiness: 0.25\nmax_open: 7\ngrace: 1m")

    assert plan.load == OpenLoop(rate_per_s=5, arrival="gamma", burstiness=0.25, max_open=7)
    assert plan.grace_s == 60


def test_cpus_are_auto_a_list_or_a_text() -> None:
    assert read("pin: auto").pin == "auto"
    assert read("pin: [2, 0]").pin == (2, 0)
    assert read("pin: '1,3'").pin == (1, 3)


def test_an_engine_has_cpus_of_its_own() -> None:
    plan = parse_plan("engines: [{name: a, url: 'http://h/v1', pin: [1, 2]}]", "race.yaml", Path())

    assert plan.engines[0].pin == (1, 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate: fast", "race.yaml:2: rate: 'fast' is not a rate; give requests a second such as 50, '50/s'"),
        ("rate: 0", "race.yaml:2: rate: 0 is out of range"),
        ("rate: true", "race.yaml:2: rate: true is not a rate"),
        ("rate: 1\narrival: uniform", "race.yaml:3: arrival: 'uniform' is not a way to space requests"),
        ("arrival: constant", "race.yaml:2: arrival: needs 'rate'"),
        ("max_open: 3", "race.yaml:2: max_open: needs 'rate'"),
        (
            "rate: 1\nconcurrency: 3",
            "race.yaml:3: concurrency: is the closed loop's and 'rate' the open loop's",
        ),
        (
            "rate: 1\nburstiness: 2",
            "race.yaml:3: burstiness: is the shape of 'arrival: gamma'; give that too",
        ),
        (
            "pin: [1, 1]",
            "race.yaml:2: pin: a list is neither 'auto' nor CPU numbers, each once, such as [1, 2]",
        ),
        (
            "pin: some",
            "race.yaml:2: pin: 'some' is neither 'auto' nor CPU numbers, each once, such as [1, 2]",
        ),
        ("qps: 5", "race.yaml:2: qps: unknown field; did you mean 'rate'?"),
    ],
)
def test_a_mistake_is_one_line_with_place_value_and_remedy(text: str, expected: str) -> None:
    with pytest.raises(PlanError) as caught:
        read(text)

    assert str(caught.value).startswith(expected)


def test_a_rate_flag_makes_a_closed_loop_open() -> None:
    assert override(read("concurrency: 8"), rate="5/s").load == OpenLoop(rate_per_s=5)


def test_a_concurrency_flag_makes_an_open_loop_closed() -> None:
    plan = override(read("rate: 5/s\nmax_open: 2"), concurrency=3)

    assert (plan.load, plan.concurrency) == (None, 3)


def test_flags_change_one_field_of_a_load_and_keep_the_others() -> None:
    plan = override(read("rate: 5/s\narrival: gamma\nburstiness: 0.5"), rate="9")

    assert plan.load == OpenLoop(rate_per_s=9, arrival="gamma", burstiness=0.5)


def test_flags_alone_make_a_load() -> None:
    plan = plan_from_flags(["a=http://h/v1"], rate="5", arrival="constant", max_open=4, grace="2", pin="1,2")

    assert (plan.load, plan.grace_s, plan.pin) == (
        OpenLoop(rate_per_s=5, arrival="constant", max_open=4), 2.0, (1, 2),
    )  # fmt: skip


def test_flags_that_cannot_stand_together_are_named() -> None:
    with pytest.raises(PlanError, match="--concurrency: is the closed loop's"):
        plan_from_flags(["a=http://h/v1"], rate="5", concurrency=3)
    with pytest.raises(PlanError, match="--max-open: needs 'rate'"):
        plan_from_flags(["a=http://h/v1"], max_open=3)


def test_the_log_gets_the_load_as_it_was_understood() -> None:
    public = public_plan(read("rate: 120/min\npin: auto"))

    assert public["load"] == {"rate_per_s": 2.0, "arrival": "poisson", "burstiness": 1.0, "max_open": None}
    assert (public["concurrency"], public["pin"], public["grace_s"]) == (None, "auto", 30.0)


@pytest.mark.parametrize(
    ("text", "share"),
    [("95%", 0.95), ("'99.9 %'", 0.999), ("90", 0.9), ("100", 1.0), ("0", 0.0), ("0%", 0.0), ("1", 0.01)],
)
def test_finish_is_a_percentage_with_or_without_its_sign(text: str, share: float) -> None:
    assert read(f"finish: {text}").finish == pytest.approx(share, rel=1e-12)


def test_a_plan_that_names_no_bound_has_95_percent() -> None:
    assert read("").finish == 0.95


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.95", "race.yaml:2: finish: 0.95 is less than 1 %; if a share is meant, write '95%'"),
        ("'0.95'", "race.yaml:2: finish: '0.95' is less than 1 %; if a share is meant, write '95%'"),
        ("101%", "race.yaml:2: finish: '101%' is out of range; give a percentage from 0% (no bound) to 100%, such as '95%'"),
        ("-1", "race.yaml:2: finish: -1 is out of range; give a percentage from 0% (no bound) to 100%, such as '95%'"),
        ("most", "race.yaml:2: finish: 'most' is not a percentage; give a percentage from 0% (no bound) to 100%, such as '95%'"),
        ("true", "race.yaml:2: finish: true is not a percentage; give a percentage from 0% (no bound) to 100%, such as '95%'"),
        (".nan", "race.yaml:2: finish: nan is out of range; give a percentage from 0% (no bound) to 100%, such as '95%'"),
    ],
)  # fmt: skip
def test_a_bound_that_is_no_percentage_is_refused_by_name_and_value(text: str, expected: str) -> None:
    with pytest.raises(PlanError) as refused:
        read(f"finish: {text}")
    assert str(refused.value) == expected


def test_a_flag_replaces_the_bound_of_the_plan() -> None:
    assert override(read("finish: 80%"), finish="99%").finish == 0.99


def test_a_bound_that_a_flag_gives_wrongly_is_named() -> None:
    with pytest.raises(
        PlanError, match=r"^--finish: '0\.95' is less than 1 %; if a share is meant, write '95%'$"
    ):
        override(read(""), finish="0.95")


def test_the_log_s_plan_has_the_bound() -> None:
    assert public_plan(read("finish: 80%"))["finish"] == 0.8
