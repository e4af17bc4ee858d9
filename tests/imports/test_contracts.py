"""Imports run one way: the contracts of import-linter, and the public names."""

import subprocess
import sys
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
