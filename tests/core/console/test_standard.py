"""What every verb does when standard input, output or error is closed, full, left, or no text. Real processes."""

import os
import subprocess
import sys

import pytest

from racelog.testing.races import Plan, ScriptedRace

VERBS = {
    "ls": ["ls"],
    "info": ["info"],
    "verify": ["verify"],
    "dump": ["dump"],
    "sql": ["sql", "select 1"],
    "sql -f csv": ["sql", "-f", "csv", "select 1"],
    "sql --plot": ["sql", "--plot", "line", "select i from range(3) t(i)"],
    "shell": ["shell"],
    "export": ["export", "-f", "md", "--force"],
    "cut": ["cut", "--lane", "0", "-o", "cut.rlog", "--force"],
    "play": ["play", "--dry-run"],
    "help": ["--help"],
    "version": ["--version"],
}

every_verb = pytest.mark.parametrize("arguments", VERBS.values(), ids=VERBS)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """Return a home with one race."""
    home = tmp_path_factory.mktemp("home")
    (home / "races").mkdir()
    ScriptedRace([Plan("a"), Plan("b", ttft_ms=40)]).write_file(
        home / "races" / "20261121-013000-0a1b2c3d.rlog"
    )
    return home


@pytest.fixture
def racelog(stocked, tmp_path):
    """Return what runs racelog by way of a shell's redirections and gives its exit code and standard error."""

    def ran(arguments, redirections, *, said=b"select 1;", **environment):
        script = f'"$0" -m racelog "$@" {redirections}'
        done = subprocess.run(
            ["sh", "-c", script, sys.executable, *arguments],
            env={**os.environ, "RACELOG_HOME": str(stocked), **environment}, cwd=tmp_path, check=False,
            input=said, capture_output=True,
        )  # fmt: skip
        return done.returncode, done.stderr.decode()

    return ran


@every_verb
def test_a_full_disk_behind_standard_output_is_a_sentence_and_a_code(arguments, racelog):
    assert racelog(arguments, "> /dev/full") == (
        4,
        "racelog: cannot write to standard output: No space left on device\n",
    )


@every_verb
def test_a_closed_standard_output_is_a_sentence_and_a_code(arguments, racelog):
    assert racelog(arguments, ">&-") == (
        4,
        "racelog: standard output is closed, so nothing can be printed; send it to a file: > FILE\n",
    )


@every_verb
def test_a_reader_that_leaves_is_no_mistake(arguments, racelog):
    assert racelog(arguments, "| true") == (0, "")


@pytest.mark.parametrize("redirections", ["2> /dev/full", "2>&-"])
def test_a_message_that_nobody_can_be_told_changes_no_result(redirections, racelog, tmp_path):
    assert racelog(["ls", "--home", str(tmp_path / "empty")], redirections) == (0, "")


def test_a_closed_standard_input_is_empty(racelog):
    assert racelog(["shell"], "<&-") == (0, "")


def test_a_file_never_gets_the_number_of_a_stream_that_was_closed(racelog, tmp_path):
    code, _ = racelog(["cut", "--lane", "0", "-o", "cut.rlog"], "<&- >&-")

    assert code == 4
    assert racelog(["verify", "cut.rlog"], "> /dev/null") == (0, "")


@pytest.mark.parametrize("arguments", [["sql", "-"], ["shell"]], ids=["sql", "shell"])
def test_standard_input_that_is_no_text_is_refused_by_its_byte(arguments, racelog):
    code, said = racelog(arguments, "> /dev/null", said=b"select 1;\nselect '\xff';")

    assert (code, said) == (
        2,
        "racelog: standard input is not UTF-8: line 2, byte 9 (0xff); convert it, for instance with iconv\n",
    )


def test_a_query_that_is_no_text_is_refused(racelog):
    code, said = racelog(["sql", os.fsdecode(b"select '\xff'")], "> /dev/null")

    assert (code, said) == (
        2,
        "racelog: the query holds bytes that are not UTF-8; convert it, for instance with iconv\n",
    )


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONUNBUFFERED": "1"}, {"LC_ALL": "xx_XX.nonsense"}, {"COLUMNS": "0"}, {"TZ": "Nowhere/Town"}],
    ids=str,
)  # fmt: skip
def test_an_environment_that_is_odd_breaks_no_table(environment, racelog):
    assert racelog(["info"], "> /dev/null", **environment) == (0, "")
    assert racelog(["sql", "from lanes"], "> /dev/null", **environment) == (0, "")
