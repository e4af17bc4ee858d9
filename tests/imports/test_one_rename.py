"""One module gives files their names and syncs them, so every place treats a disk that cannot do it in the same way."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    file for part in ("racelog", "recorder", "player", "cards") for file in (ROOT / part).rglob("*.py")
]

NAMING = {"rename", "renames", "hardlink_to", "os.link", "os.fsync", "os.fdatasync", "shutil.move"}


def calls(source: str) -> Iterator[str]:
    """Yield what gives a file its name or forces it to the disk in a source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and {node.attr, ast.unparse(node)} & NAMING:
            yield node.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_os = isinstance(node.func.value, ast.Name) and node.func.value.id == "os"
            of_path = len(node.args) == 1 and not node.keywords  # a text's and a struct's take more
            if node.func.attr == "replace" and (of_os or of_path):
                yield "replace"


def test_every_way_to_name_a_file_is_seen() -> None:
    source = "os.replace(a, b)\na.replace(b)\na.rename(b)\nos.fsync(c)\ntext.replace('a', 'b')\nreplace(one, field=1)"

    assert sorted(calls(source)) == ["fsync", "rename", "replace", "replace"]


def test_files_take_their_names_and_are_synced_in_one_place() -> None:
    found = {
        str(file.relative_to(ROOT)): sorted(calls(file.read_text(encoding="utf-8")))
        for file in SOURCES
        if any(calls(file.read_text(encoding="utf-8")))
    }

    assert found == {
        "racelog/log/write/atomic.py": ["fsync", "link", "replace", "replace", "replace"],
        "racelog/log/write/files.py": ["fdatasync", "fsync"],  # of a log's own descriptor, unit by unit
    }
