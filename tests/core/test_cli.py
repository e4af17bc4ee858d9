"""The command line itself: finds commands, survives broken ones, prints errors in one place."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import click
import pytest

from racelog import __version__, plugins
from racelog.cli import GROUP, run
from racelog.errors import EngineError, ExitCode, InputError, LogError, RacelogError, StorageError


@click.command()
def healthy() -> None:
    """Do what it should."""
    click.echo("fine")


@click.command()
@click.argument("which", type=int)
def failing(which: int) -> None:
    """Fail in one of many ways."""
    raise FAILURES[which]


FAILURES = [
    RacelogError("odd"), InputError("bad input"), LogError("bad file"), StorageError("full"),
    EngineError("gone"), KeyboardInterrupt(), click.UsageError("no such thing"), click.Abort(),
]  # fmt: skip
CODES = [1, 2, 1, 4, 5, 130, 2, 130]
NOT_A_COMMAND = 42
HERE = "tests_core_test_cli"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a few commands in place of racelog's own."""
    points = {
        name: EntryPoint(name, f"{HERE}:{value}", GROUP)
        for name, value in {"healthy": "healthy", "failing": "failing", "number": "NOT_A_COMMAND"}.items()
    }
    points["broken"] = EntryPoint("broken", "racelog.no_such_module:broken", GROUP)
    points["crashing"] = EntryPoint("crashing", "this:is:no:reference", GROUP)
    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])

    plugins.forget()
    monkeypatch.setattr(plugins, "_points", lambda: tuple(points.values()))
    yield
    monkeypatch.undo()
    plugins.forget()


def test_help_lists_every_command_even_broken_ones(
    commands: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--help"]) == ExitCode.OK

    listed = capsys.readouterr().out
    assert "Do what it should." in listed
    assert "(unavailable: No module named 'racelog.no_such_module')" in listed
    assert "number" in listed
    assert "crashing" in listed


def test_a_command_that_cannot_be_loaded_explains_itself_and_exits_1(
    commands: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["broken", "--any", "flag"]) == ExitCode.FAILED

    assert capsys.readouterr().err == (
        "racelog: 'broken' cannot be loaded from racelog.no_such_module:broken: "
        "No module named 'racelog.no_such_module'. Try: pip install racelog.no_such_module\n"
    )


@pytest.mark.parametrize("name", ["number", "crashing"])
def test_an_entry_point_to_no_command_explains_itself_and_exits_1(
    commands: None, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run([name]) == ExitCode.FAILED
    assert f"racelog: '{name}' cannot be loaded from" in capsys.readouterr().err


def test_a_broken_command_leaves_the_others_alone(commands: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["healthy"]) == ExitCode.OK
    assert capsys.readouterr().out == "fine\n"


@pytest.mark.parametrize("which", range(len(CODES)))
def test_every_mistake_has_its_exit_code_and_no_traceback(
    commands: None, capsys: pytest.CaptureFixture[str], which: int
) -> None:
    assert run(["failing", str(which)]) == CODES[which]

    captured = capsys.readouterr()
    assert (captured.out, "Traceback" in captured.err) == ("", False)


def test_an_error_is_one_line_on_standard_error(commands: None, capsys: pytest.CaptureFixture[str]) -> None:
    run(["failing", "1"])

    assert capsys.readouterr() == ("", "racelog: bad input\n")


def test_a_bug_is_not_hidden(commands: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "FAILURES", [ZeroDivisionError("ours")])

    with pytest.raises(ZeroDivisionError):
        run(["failing", "0"])


@pytest.mark.parametrize("arguments", [["nonsense"], ["healthy", "--nonsense"], ["healthy", "more"]])
def test_a_wrong_word_on_the_command_line_exits_2(
    commands: None, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(arguments) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("Usage: racelog")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out == f"racelog, version {__version__}\n"


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    run([])

    assert "record a race once" in "".join(capsys.readouterr())


def test_the_installed_commands_are_the_declared_ones() -> None:
    names = {point.name for point in entry_points(group=GROUP)}

    assert names >= {"card", "dump", "info", "ls", "play", "record", "serve", "sql", "verify"}


ENDLESS = """
import sys, click, racelog.cli as cli
@cli.app.command()
def endless():
    for number in range(100_000):
        click.echo(f"line {number} of a result that nobody reads to its end")
sys.exit(cli.run(["endless"]))
"""


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    ) as writer:
        assert writer.stdout
        assert writer.stderr
        assert writer.stdout.readline()
        writer.stdout.close()
        complaint = writer.stderr.read()

    assert (complaint, writer.returncode) == (b"", ExitCode.OK)


@pytest.mark.parametrize("program", [["-m", "racelog"], ["-c", "from racelog.__main__ import main; main()"]])
def test_an_interrupt_while_the_program_loads_is_one_line(tmp_path: Path, program: list[str]) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    done = subprocess.run(
        [sys.executable, *program, "--version"], capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"racelog: interrupted\n")


def test_the_program_that_is_installed_is_the_one_that_can_be_interrupted_from_its_start() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["scripts"] == {"racelog": "racelog.__main__:main"}
