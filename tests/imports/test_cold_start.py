"""Starting racelog loads next to nothing: an allow list, looked at from inside a fresh interpreter.

An allow list because a deny list never names tomorrow's heavy package. msgspec is on no list: it costs about as
much as click (10 ms here), and no command's help needs it.
"""

import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

ALLOWED = {"racelog", "racelog_recorder", "racelog_player", "racelog_cards", "click", "platformdirs"}
VERBS = sorted(point.name for point in entry_points(group="racelog.commands"))

PROBE = """
import json, sys
before = set(sys.modules)
{statement}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(json.dumps(sorted(loaded - sys.stdlib_module_names)), file=sys.stderr)
"""
RUN = "from racelog.cli import run; assert run({arguments!r}) == 0"


def loaded_by(statement: str) -> tuple[set[str], str]:
    """Return the packages beyond the standard library that ``statement`` imports, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(statement=statement)], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1])), done.stdout


def test_help_lists_every_command_and_loads_nothing_heavy() -> None:
    loaded, shown = loaded_by(RUN.format(arguments=["--help"]))

    assert loaded <= ALLOWED
    assert [verb for verb in VERBS if f"\n  {verb} " not in shown] == []
    assert "(unavailable" not in shown


@pytest.mark.parametrize("verb", VERBS)
def test_a_command_s_help_loads_nothing_heavy(verb: str) -> None:
    loaded, shown = loaded_by(RUN.format(arguments=[verb, "--help"]))

    assert loaded <= ALLOWED
    assert shown.startswith(f"Usage: racelog {verb}")


def test_importing_racelog_loads_nothing_at_all() -> None:
    assert loaded_by("import racelog") == ({"racelog"}, "")


def test_opening_a_log_needs_neither_duckdb_nor_numpy() -> None:
    loaded, _ = loaded_by("import racelog; racelog.open")

    assert "msgspec" in loaded
    assert not loaded & {"duckdb", "numpy", "trio", "prompt_toolkit", "matplotlib"}


def test_the_telemetry_of_a_race_that_asks_no_engine_for_metrics_loads_no_http() -> None:
    loaded, _ = loaded_by("import racelog_recorder.telemetry.process")

    assert "trio" in loaded
    assert not loaded & {"httpx2", "httpcore2", "h11", "httptools"}


@pytest.mark.parametrize("module", ["racelog_recorder.lane.process", "racelog_recorder.cli.session"])
def test_a_race_over_the_pump_loads_no_other_transport(module: str) -> None:
    loaded, _ = loaded_by(f"import {module}")

    assert "httpx2" in loaded
    assert not loaded & {"httpcore2", "h2", "anyio"}
