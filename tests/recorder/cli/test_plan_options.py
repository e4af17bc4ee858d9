"""The flags of `racelog record` that come from the plan's fields."""

import click
import pytest

from racelog_recorder.cli.plan_options import FLAGS, given_flags, plan_options
from racelog_recorder.cli.record import record
from racelog_recorder.plan.fields.race import RACE_FIELDS
from racelog_recorder.plan.flags import plan_from_flags


@click.command()
@plan_options
def probe(**options: object) -> None:
    """Take what a plan takes."""
    click.echo(repr(given_flags(options)))


def given(*arguments: str) -> dict[str, object]:
    context = probe.make_context("probe", list(arguments))
    return given_flags(context.params)


def test_no_flag_says_nothing() -> None:
    assert given() == {}


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        (["--time-trial"], {"grid": "time-trial"}),
        (["--no-calibrate"], {"calibrate": False}),
        (["--metrics"], {"metrics": True}),
        (["--requests", "0"], {"requests": "0"}),
        (["--max-tokens", "9"], {"max_tokens": "9"}),
        (["--deadline", "total=5", "--deadline", "connect=1s"], {"deadlines": ("total=5", "connect=1s")}),
    ],
)
def test_a_flag_says_what_the_plan_s_flags_take(arguments: list[str], flags: dict[str, object]) -> None:
    assert given(*arguments) == flags


def test_every_flag_of_a_row_is_one_of_the_command() -> None:
    rows = {row.flag.entry or row.name for row in RACE_FIELDS.values() if row.flag}

    assert rows == {flag["name"] for flag in FLAGS}
    assert rows <= {parameter.name for parameter in record.params}


def test_text_from_a_command_line_becomes_what_a_file_would_have_given() -> None:
    plan = plan_from_flags(
        ["a=http://h/v1"], **given("--rate", "5", "--arrival", "gamma", "--burstiness", "0.5", "--grace", "2")
    )

    assert plan.load is not None
    assert (plan.load.rate_per_s, plan.load.burstiness, plan.grace_s) == (5.0, 0.5, 2.0)


def test_a_flag_that_no_field_has_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="a plan has no nonsense"):
        plan_from_flags(["a=http://h/v1"], nonsense=1)
