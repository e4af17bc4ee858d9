"""docs/plugins.md names every group that the code reads, and each how-to's diff is what the example package has."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.installing import EXTRAS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
HOWTOS = ("card-template", "command", "dialect", "export", "rule", "sampler")
HUNK = re.compile(
    r"^```diff\n.*?^\+\+\+ b/(?P<path>.+?)\n@@.*?\n(?P<added>.*?)^```", re.MULTILINE | re.DOTALL
)


def test_every_group_that_the_code_reads_is_described() -> None:
    read = {
        found
        for folder in ("racelog", "recorder", "cards", "player")
        for path in (ROOT / folder).rglob("*.py")
        for found in re.findall(r'^GROUP = "(racelog\.\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert {"racelog.commands", "racelog.exports", "racelog.plotters", "racelog.rules"} < read
    assert [group for group in sorted(read) if f"| `{group}` |" not in PAGE] == []


def test_the_groups_that_racelog_declares_are_described() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]

    assert [group for group in declared if f"| `{group}` |" not in PAGE] == []


@pytest.mark.parametrize("name", HOWTOS)
def test_the_diff_of_a_how_to_is_what_the_example_has(name: str) -> None:
    text = (ROOT / "docs" / "howto" / f"{name}.md").read_text(encoding="utf-8")
    hunks = [(found["path"], found["added"]) for found in HUNK.finditer(text)]

    assert len(hunks) == 2
    for path, diff in hunks:
        added = "".join(line.removeprefix("+") for line in diff.splitlines(keepends=True))
        has = (ROOT / path).read_text(encoding="utf-8")
        assert added == has if path.endswith(".py") else added in has


@pytest.mark.parametrize("name", HOWTOS)
def test_every_how_to_is_linked(name: str) -> None:
    assert f"](howto/{name}.md)" in PAGE


def test_the_modules_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"`((?:racelog|racelog_recorder|racelog_cards)(?:\.\w+)+)`", PAGE))
    groups = set(re.findall(r"^\| `(racelog\.\w+)` \|", PAGE, re.MULTILINE))
    missing = []
    for name in sorted(named - groups):
        module, _, attribute = name.rpartition(".")
        defined = re.search(rf"^(?:def |class |@?){attribute}\b", _source(module), re.MULTILINE)
        if not _there(name) and not defined:
            missing.append(name)

    assert missing == []
    assert EXTRAS.is_dir()


def _there(module: str) -> bool:
    return any((ROOT / root / Path(*module.split("."))).with_suffix(".py").exists() or (ROOT / root / Path(*module.split("."))).is_dir() for root in (".", "recorder", "cards"))  # fmt: skip


def _source(module: str) -> str:
    for root in (".", "recorder", "cards"):
        path = (ROOT / root / Path(*module.split("."))).with_suffix(".py")
        if path.exists():
            return path.read_text(encoding="utf-8")
    return ""
