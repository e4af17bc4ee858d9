"""``racelog record``: parse, check, race, seal, sum up."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from racelog.display.terminal import addressable
from racelog.errors import NOTHING_RECORDED, InputError, Interrupted, PlanError
from racelog.home import home_folder
from racelog.plugins import installed
from racelog_recorder.cli.plan_options import given_flags, plan_options

if TYPE_CHECKING:
    from racelog_recorder.journal.durability import Durability
    from racelog_recorder.plan.model import RacePlan

FSYNC = ("always", "interval", "never")

EXAMPLES = """\b
Examples:
  racelog record                                      the demo race; no network, GPU or key
  racelog record race.yaml                            a race as a file (docs/race-yaml.md)
  racelog record --engine a=http://localhost:8000/v1 --engine b=http://localhost:8001/v1,model=m
  racelog record race.yaml --time-trial --requests 40 --concurrency 2
  racelog record race.yaml --deadline first_token=30s --deadline between_tokens=5s
  racelog record race.yaml --duration 30s -o tonight.rlog --no-ui
  racelog record race.yaml --rate 50/s --duration 1m        open loop, Poisson arrivals
  racelog record race.yaml --rate 50/s --dry-run            what would be sent, and when
  racelog record race.yaml --flush 100ms --fsync always     lose less to a crash, write more

\b
Ctrl+C (TERM and HUP are the same):
  once          nothing more is sent; open requests have 5 seconds to finish, then all is sealed
  again         open requests are cancelled and recorded as such, all is sealed
  a third time  the lanes are killed; what they had written is sealed

\b
Exit codes: 0 recorded; 2 wrong input; 4 the disk failed; 5 an engine cannot be raced or a lane's recorder died;
130 stopped by you. In each case what was recorded is kept and sealed.
"""


class _Engines(click.Option):
    """``--engine``, whose help has the name of every dialect that is installed."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's lines of ``--help``."""
        from racelog_recorder.dialects.registry import dialect_names  # noqa: PLC0415 - a race needs no list of names

        self.help = f"{self.help} D is how the engine is spoken to: {', '.join(dialect_names())}."
        return super().get_help_record(ctx)


@click.command(epilog=EXAMPLES, short_help="Race engines and record everything.")
@click.argument("race", metavar="[RACE.yaml]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--engine",
    "engines",
    cls=_Engines,
    multiple=True,
    metavar="NAME=BASE_URL[,model=M][,dialect=D]",
    help="An engine to race; repeat for each. BASE_URL as OpenAI clients take it, ending in /v1.",
)
@plan_options
@click.option(
    "-o",
    "--output",
    metavar="FILE.rlog",
    type=click.Path(path_type=Path),
    help="Write the log here instead of the home folder.",
)
@click.option(
    "--home", metavar="DIR", help="Home folder of the races (default: RACELOG_HOME or the platform's)."
)
@click.option(
    "--flush",
    metavar="TIME",
    default="250ms",
    show_default=True,
    help="Write this often: at most so much is lost to kill -9. 10ms to 60s; shorter makes a larger live log.",
)
@click.option(
    "--fsync",
    type=click.Choice(FSYNC),
    default="interval",
    show_default=True,
    help="Force it to the disk after every write, once a second, or never: what a power failure may cost.",
)
@click.option(
    "--dry-run", is_flag=True, help="Print the race as understood and what would be sent when; send nothing."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result, or the dry run, as JSON for programs."
)
@click.option(
    "--theme",
    metavar="NAME|FILE",
    help="Colours of the view, as `racelog play` has them.  [env: RACELOG_THEME]",
)
@click.option(
    "--mode", type=click.Choice(["novice", "expert", "teacher"]), help="How much the view explains."
)
@click.option(
    "--commentary", type=click.Choice(["quiet", "normal", "verbose"]), help="How many comments the view has."
)
@click.option("--no-ui", is_flag=True, help="Plain progress lines instead of the full-screen view.")
@click.option(
    "--no-preflight", is_flag=True, help="Do not ask the engines for their models first; each needs model=."
)
def record(race: Path | None, **options: Any) -> int:
    """Race engines and record every request, every token and every GPU sample.

    Without RACE.yaml and --engine it runs the demo: a recorded race of two real engines, served again here.
    """
    from racelog_recorder.cli.signals import stop_signals_interrupt  # noqa: PLC0415 - beside what it guards

    with stop_signals_interrupt():
        try:
            return _record(race, options)
        except KeyboardInterrupt:
            raise Interrupted(NOTHING_RECORDED) from None


def _record(race: Path | None, options: dict[str, Any]) -> int:
    _check_output(options["output"])
    view = _view_flags(options)
    durability = _durability(options["flush"], options["fsync"])
    plan = _plan(race, options)
    if options["dry_run"]:
        return _rehearse(plan, options)
    from racelog_recorder.cli.session import Session, record_race  # noqa: PLC0415 - trio and httpx load only to race

    terminal = sys.stdout.isatty() and sys.stdin.isatty() and addressable(os.environ)
    session = Session(
        plan=plan,
        demo_overrides=given_flags(options) if plan is None else {},
        home=home_folder(options["home"]),
        output=options["output"],
        ui=terminal and not options["no_ui"],
        preflight=not options["no_preflight"],
        durability=durability,
        as_json=options["as_json"],
        view=view,
    )
    return record_race(session)


def _view_flags(options: dict[str, Any]) -> tuple[str, ...]:
    """Return the flags that the view is started with; what it would refuse is refused before anything is recorded."""
    given = {name: str(options[name]) for name in ("theme", "mode", "commentary", "home") if options[name]}
    flags = tuple(word for name, value in given.items() for word in (f"--{name}", value))
    view = installed("racelog.commands").get("play") if "theme" in given else None
    if view is not None:
        view.point.load().make_context("racelog play", list(flags))  # which checks them, and no more
    return flags


def _rehearse(plan: "RacePlan | None", options: dict[str, Any]) -> int:
    """Print what would be raced, of the demo too."""
    from racelog.console.output import emit_json, terminal_width, warn  # noqa: PLC0415 - not needed for --help
    from racelog_recorder.cli.dry_run import rehearsal_lines, rehearse  # noqa: PLC0415 - beside the plan
    from racelog_recorder.demo import demo_plan, unserved_engines  # noqa: PLC0415 - loads the recording
    from racelog_recorder.machine.affinity import allowed_cpus, lane_cpus  # noqa: PLC0415 - loads the plan
    from racelog_recorder.plan.api_keys import key_problems  # noqa: PLC0415 - loads the plan
    from racelog_recorder.plan.flags import override  # noqa: PLC0415 - beside plan_file

    plan = plan or override(demo_plan(unserved_engines()), **given_flags(options))
    for problem in key_problems(plan):
        warn(f"{problem}; without it there is no race")
    rehearsal = rehearse(plan, lane_cpus(plan, allowed_cpus()))
    if options["as_json"]:
        emit_json(rehearsal)
        return 0
    for line in rehearsal_lines(rehearsal, terminal_width()):
        click.echo(line)
    return 0


def _check_output(output: Path | None) -> None:
    """Refuse a place where no log can be written, before anything is recorded.

    Raises:
        InputError: its name does not end as a log's, or its folder does not exist.
    """
    if output is None:
        return
    if output.suffix != ".rlog":
        raise InputError(f"-o {output}: a log's name ends in .rlog")
    if not output.parent.is_dir():
        raise InputError(f"-o {output}: the folder {output.parent} does not exist")


def _durability(flush: str, fsync: Any) -> "Durability":
    """Return what ``--flush`` and ``--fsync`` ask for.

    Raises:
        InputError: ``--flush`` is no span of time within its bounds.
    """
    from racelog_recorder.journal.durability import (  # noqa: PLC0415 - loads msgspec
        MAX_FLUSH_S,
        MIN_FLUSH_S,
        Durability,
    )
    from racelog_recorder.plan.fields.checks import FieldError, seconds  # noqa: PLC0415 - beside durability

    try:
        flush_s = seconds(round(MAX_FLUSH_S), zero=False)(flush)
    except FieldError:
        flush_s = 0.0
    if flush_s < MIN_FLUSH_S:
        raise InputError(f"--flush {flush}: give a span of time from 10ms to 60s, such as 250ms or 1s")
    return Durability(flush_s=flush_s, fsync=fsync)


def _plan(race: Path | None, options: dict[str, Any]) -> "RacePlan | None":
    """Return the race that was asked for, flags winning over the file; None asks for the demo.

    Raises:
        PlanError: there are both a file and engines, or one of them is wrong.
    """
    from racelog_recorder.plan.file import load_plan  # noqa: PLC0415 - loads the YAML parser
    from racelog_recorder.plan.flags import override, plan_from_flags  # noqa: PLC0415 - beside plan_file

    engines = list(options["engines"])
    if race is not None and engines:
        raise PlanError("give either a race file or --engine, not both")
    if race is None and not engines:
        return None
    flags = given_flags(options)
    return override(load_plan(race), **flags) if race is not None else plan_from_flags(engines, **flags)
