"""What the documents tell people to type exists: every racelog command in a ```sh block parses."""

import re
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest

from racelog.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|shell|bash|console)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """Return the racelog command lines in a document's shell blocks, as words after ``racelog``."""
    found: list[list[str]] = []
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            lexer.commenters = "#"
            found += racelog_calls(list(lexer))
    return found


def racelog_calls(words: list[str]) -> list[list[str]]:
    """Return the arguments of each racelog call in one line of a shell."""
    calls: list[list[str]] = []
    current: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= set("|&;<>()"):
            while current and re.fullmatch(r"\w+=.*", current[0]):
                current.pop(0)
            if current and current[0] == "racelog":
                calls.append(current[1:])
            current = []
        else:
            current.append(word)
    return calls


def parse(arguments: list[str]) -> None:
    """Parse ``arguments`` down to their command without running it; raises click's UsageError if they do not."""
    group: click.Group = app
    with group.make_context("racelog", list(arguments), resilient_parsing=False) as context:
        words = [*context._protected_args, *context.args]
        while words:
            name, command, words = group.resolve_command(context, words)
            assert command is not None
            if not isinstance(command, click.Group):
                assert "(unavailable" not in (command.help or "")
                placeholder = [word for word in words if word not in ("...", "…")]
                command.make_context(name, placeholder, parent=context, resilient_parsing=False)
                return
            group = command


CASES = [
    pytest.param(arguments, id=f"{path.name}: racelog {' '.join(arguments)}"[:90])
    for path in DOCUMENTS
    for arguments in commands(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("arguments", CASES)
def test_a_command_in_the_documents_parses(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A document may name a file that is only there when one follows it.
    monkeypatch.setattr(click.Path, "convert", lambda self, value, param, ctx: Path(value))
    with suppress(click.exceptions.Exit):  # --help and --version do their work while parsing
        parse(arguments)


def test_commands_are_found_in_shell_blocks_alone() -> None:
    text = "racelog no\n```python\nracelog.open()\n```\n```sh\n$ racelog ls  # all\nX=1 racelog sql 'a | b' | head\ncd x && racelog info \\\n  y\n```\n"

    assert commands(text) == [["ls"], ["sql", "a | b"], ["info", "y"]]


@pytest.mark.parametrize("arguments", [["nonsense"], ["ls", "--nonsense"]])
def test_a_command_that_does_not_exist_does_not_parse(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(arguments)
