"""The command line as a plan, and over one."""

import pytest

from racelog.errors import PlanError
from racelog_recorder.plan.flags import override, plan_from_flags
from racelog_recorder.plan.model import EnginePlan

A = "a=http://h/v1"


def test_an_engine_flag_takes_options_after_commas():
    plan = plan_from_flags([A + "/,model=m-1,api_key_env=A_KEY,color=teal"])

    assert plan.engines == (
        EnginePlan(name="a", url="http://h/v1", model="m-1", api_key_env="A_KEY", color="#008080"),
    )


def test_a_bare_url_is_named_by_its_host():
    assert plan_from_flags(["http://h:8000/v1?x=y"]).engines[0].name == "h:8000"


def test_flags_left_out_take_the_defaults():
    plan = plan_from_flags([A])

    assert (plan.requests, plan.duration_s, plan.countdown_s, plan.prompts_from) == (40, None, 3.0, "builtin")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"requests": 5}, (5, None)),
        ({"duration": "2m"}, (None, 120.0)),
        ({"requests": 5, "duration": "45"}, (5, 45.0)),
    ],
)
def test_requests_or_duration_alone_replaces_both(flags, expected):
    plan = override(plan_from_flags([A], requests=7, duration=30), **flags)

    assert (plan.requests, plan.duration_s) == expected


def test_parameters_are_merged_over_the_plans():
    plan = override(plan_from_flags([A]), params={"top_p": 0.5}, max_tokens=64)

    assert plan.params == {"max_tokens": 64, "temperature": 0.0, "top_p": 0.5}


def test_flags_that_are_none_change_nothing():
    plan = plan_from_flags([A], seed=3)

    assert override(plan, seed=None, requests=None) == plan


@pytest.mark.parametrize(
    ("engines", "expected"),
    [
        ([], "--engine: 0 engines; give 1 to 10"),
        (["a"], "--engine: 'a' has no URL; write NAME=BASE_URL, such as a=http://localhost:8000/v1"),
        ([A, A], "--engine: 'a' is taken; every engine needs its own name"),
        (["=http://h"], "--engine: name: must not be empty"),
        (["a=http://h:0/v1"], "--engine: url: 'http://h:0/v1': the port is not a number from 1 to 65535"),
        ([A + ",modle=x"], "--engine: modle: unknown option; did you mean 'model'?"),
    ],
)
def test_a_wrong_engine_flag_says_what_to_write(engines, expected):
    with pytest.raises(PlanError) as caught:
        plan_from_flags(engines)

    assert str(caught.value) == expected


@pytest.mark.parametrize("option", ["api_key", "api_key_env", "token"])
def test_a_key_in_a_flag_is_refused_and_not_repeated(option):
    with pytest.raises(PlanError) as caught:
        plan_from_flags([f"{A},{option}=sk-proj-0123456789"])

    assert "0123456789" not in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"requests": 0}, "--requests: 0 is out of range; give 1 to 10,000,000"),
        ({"max_tokens": 0}, "--max-tokens: 0 is out of range; give 1 to 10,000,000"),
        ({"prompts": "nope.txt"}, "--prompts: cannot read 'nope.txt': No such file or directory"),
        (
            {"prompts": "a.csv"},
            "--prompts: 'a.csv' is not a file of prompts; give a .txt or .jsonl file, or 'builtin'",
        ),
        ({"grid": "x"}, "--grid: 'x' is not a grid; give 'together' or 'time-trial'"),
    ],
)
def test_a_wrong_flag_is_named(flags, expected):
    with pytest.raises(PlanError) as caught:
        plan_from_flags([A], **flags)

    assert str(caught.value) == expected
