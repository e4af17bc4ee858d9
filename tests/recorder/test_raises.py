"""A function that raises says so: which error, and when. In the rooms from the command line to a lane."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("cli", "conductor", "lane", "plan", "protocol")
RECORDER = Path(__file__).parents[2] / "recorder" / "racelog_recorder"

HELP = {"record", "import_files"}
"""Commands: their docstring is what ``--help`` shows, and their errors are those of the README's table of exit codes."""


def silent(source: str) -> Iterator[str]:
    """Yield the functions of a module that raise an error of their own and have no ``Raises:``.

    Inner functions belong to the one around them; who returns `NoReturn` has said it.
    """
    tree = ast.parse(source)
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    for function in (node for body in bodies for node in body):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        told = (
            "Raises:" in (ast.get_docstring(function) or "")
            or ast.unparse(function.returns or function) == "NoReturn"
        )
        if not told and function.name not in HELP and any(_raised(function)):
            yield function.name


def _raised(node: ast.AST) -> Iterator[ast.Raise]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(inner, ast.Raise) and inner.exc is not None:
            yield inner
        yield from _raised(inner)


@pytest.mark.parametrize("room", ROOMS)
def test_every_function_that_raises_says_so(room: str) -> None:
    found = [
        f"{path.name}: {name}"
        for path in sorted((RECORDER / room).rglob("*.py"))
        for name in silent(path.read_text())
    ]

    assert found == []


def test_a_function_that_raises_and_does_not_say_so_is_found() -> None:
    assert list(silent('def f():\n    """Do."""\n    if x:\n        raise ValueError\n')) == ["f"]
    assert (
        list(
            silent(
                'def f():\n    """Do.\n\n    Raises:\n        ValueError: x.\n    """\n    raise ValueError\n'
            )
        )
        == []
    )
    assert list(silent("def f() -> NoReturn:\n    raise ValueError\n")) == []
    assert list(silent("def f():\n    try:\n        g()\n    except ValueError:\n        raise\n")) == []
