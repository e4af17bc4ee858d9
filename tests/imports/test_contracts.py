"""Imports run one way: the contracts of import-linter, and the public names."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import racelog

ROOT = Path(__file__).parents[2]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def test_the_import_contracts_are_kept() -> None:
    done = subprocess.run([sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " 0 broken." in done.stdout


@pytest.mark.parametrize("name", racelog.__all__)
def test_every_public_name_loads(name: str) -> None:
    assert getattr(racelog, name) is not None


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'racelog' has no attribute 'nonsense'"):
        _ = racelog.nonsense


PARTS = {
    "racelog": "racelog",
    "recorder": "racelog_recorder",
    "player": "racelog_player",
    "cards": "racelog_cards",
}
MODULE = re.compile(r"(racelog_(?:recorder|player|cards))\.[\w.]+(?::\w+)?")


def modules_in_texts(folder: str) -> Iterator[tuple[str, str]]:
    """Yield each text in a part's code that is a module's name, and the package of that module."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = MODULE.fullmatch(node.value)
                if found:
                    yield node.value, found[1]


@pytest.mark.parametrize("folder", PARTS)
def test_no_part_names_a_module_of_another_in_a_text_which_the_contracts_do_not_see(folder: str) -> None:
    assert [text for text, package in modules_in_texts(folder) if package != PARTS[folder]] == []


def test_a_module_that_is_named_in_a_text_is_found() -> None:
    assert ("racelog_recorder.lane.process", "racelog_recorder") in set(modules_in_texts("recorder"))
