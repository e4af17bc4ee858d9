"""Deadlines and dialects in a plan: per race, per engine and by flag, and one line for what is wrong."""

from pathlib import Path

import pytest

from racelog.errors import PlanError
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.plan.file import parse_plan
from racelog_recorder.plan.flags import override, plan_from_flags
from racelog_recorder.plan.model import RacePlan, deadlines_of
from racelog_recorder.plan.public import public_plan

ONE = "engines:\n- name: a\n  url: http://h/v1\n"


def read(text: str) -> RacePlan:
    return parse_plan(text, "race.yaml", Path())


def limits(plan: RacePlan) -> Deadlines:
    return deadlines_of(plan, plan.engines[0])


def complaint(text: str) -> str:
    with pytest.raises(PlanError) as caught:
        read(text)
    return str(caught.value)


def test_a_plan_without_deadlines_has_the_defaults() -> None:
    assert limits(read(ONE)) == Deadlines()


def test_an_engines_deadlines_win_over_the_races() -> None:
    text = ONE + "  deadlines: {total: 1h}\ndeadlines: {connect: 500ms, total: 30s}"

    assert limits(read(text)) == Deadlines(connect_s=0.5, total_s=3600)


def test_a_flag_wins_over_the_file() -> None:
    plan = override(read(ONE + "deadlines: {connect: 1s, total: 30s}"), deadlines=("total=2m", "headers=4"))

    assert limits(plan) == Deadlines(connect_s=1, total_s=120, headers_s=4)


def test_the_deadlines_that_held_are_in_the_log() -> None:
    (engine,) = public_plan(read(ONE + "deadlines: {total: 30s}"))["engines"]

    assert engine["deadlines"] == {
        "connect_s": 10.0, "headers_s": 120.0, "first_token_s": 120.0, "between_tokens_s": 30.0, "total_s": 30.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("deadlines: {totl: 1s}", "race.yaml:4: deadlines.totl: is not a deadline; did you mean 'total'?"),
        ("deadlines: {xyz: 1s}", "known are connect, headers, first_token, between_tokens, total"),
        ("deadlines: {total: 0}", "race.yaml:4: deadlines.total: 0 is out of range"),
        ("deadlines: 3s", "deadlines: '3s' is not a mapping"),
        ("deadlines: {total: soon}", "'soon' is not a span of time"),
    ],
)
def test_a_wrong_deadline_is_one_line(line: str, words: str) -> None:
    assert words in complaint(ONE + line)


@pytest.mark.parametrize("flag", ["total", "totl=1s", "total=soon", "total=0"])
def test_a_wrong_deadline_flag_names_the_flag(flag: str) -> None:
    with pytest.raises(PlanError, match=r"^--deadline tot"):
        override(read(ONE), deadlines=(flag,))


def test_a_dialect_is_one_there_is() -> None:
    assert read(ONE + "  dialect: ollama").engines[0].dialect == "ollama"
    assert "'chat' is not a dialect; give one of openai-chat, openai-completions, ollama" in complaint(
        ONE + "  dialect: chat"
    )


def test_a_dialect_may_stand_beside_the_url_of_a_flag() -> None:
    assert plan_from_flags(["a=http://h:11434,dialect=ollama"]).engines[0].dialect == "ollama"


def test_the_path_of_a_dialect_does_not_belong_into_the_url() -> None:
    assert "ends in /api/chat; cut that off" in complaint(ONE.replace("/v1", "/api/chat"))
