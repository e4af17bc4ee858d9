"""The flags of ``racelog record`` that say what to race, made from ``plan/flags.json``.

That file is written out of the rows of the plan's fields (`racelog_recorder.plan.generate`), so that ``--help`` and a
shell's completion load no plan.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

FLAGS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "plan" / "flags.json").read_text(encoding="utf-8")
)


def plan_options(command: Command) -> Command:
    """Give ``command`` every flag of a plan, in the order of the plan's fields."""
    for flag in reversed(FLAGS):
        command = click.option(flag["option"], flag["name"], **_settings(flag))(command)
    return command


def given_flags(options: dict[str, Any]) -> dict[str, Any]:
    """Return the flags that were given among a command's ``options``, as `racelog_recorder.plan.flags` takes them."""
    return {
        flag["name"]: options[flag["name"]] if flag["sets"] is None else flag["sets"]
        for flag in FLAGS
        if options[flag["name"]] not in (None, False, ())
    }


def _settings(flag: dict[str, Any]) -> dict[str, Any]:
    """Return how click makes an option of ``flag``. Values stay text: the plan's checks say better what is wrong with one."""
    if flag["sets"] is not None:
        return {"is_flag": True, "help": flag["help"]}
    return {
        "help": flag["help"],
        "metavar": flag["metavar"] or None,
        "multiple": flag["repeats"],
        "type": click.Choice(flag["choices"]) if flag["choices"] else str,
    }
