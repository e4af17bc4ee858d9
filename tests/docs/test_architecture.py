"""docs/architecture.md shows the rooms as the import contracts have them, and the readers as the code does."""

import importlib
import re
import tomllib
from pathlib import Path

import racelog.log.read
from docs import draw_rooms

ROOT = Path(__file__).parents[2]
PAGE = draw_rooms.PAGE.read_text(encoding="utf-8")
ROW = re.compile(r"^\| .*\|$", re.MULTILINE)


def test_the_picture_is_what_the_contracts_say() -> None:
    assert draw_rooms.PICTURE.read_text(encoding="utf-8") == draw_rooms.picture(), "run: make docs"


def test_the_table_of_rooms_is_what_their_docstrings_say() -> None:
    assert draw_rooms.with_table(PAGE) == PAGE, "run: make docs"


def test_the_picture_has_every_room_of_a_contract_for_a_whole_part() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    parts = [one for one in tool["importlinter"]["contracts"] if one.get("containers", [""])[0].find(".") < 0]
    rooms = {name for one in parts for row in one.get("layers", ()) for name in row.split(" | ")}
    drawn = set(re.findall(r">([\w.]+)</text>", draw_rooms.picture()))

    assert len(rooms) > 40
    assert rooms - drawn == set()


def test_the_readers_are_told_alike_on_the_page_and_in_the_package() -> None:
    on_the_page = ROW.findall(PAGE.partition("<!-- readers -->")[2].partition("<!-- readers end -->")[0])

    assert len(on_the_page) > 8
    assert on_the_page == ROW.findall(racelog.log.read.__doc__ or "")


def test_every_reader_that_is_named_is_there() -> None:
    named = re.findall(r"^\| [^|]+\| `(\w+)\.(\w+)`", racelog.log.read.__doc__ or "", re.MULTILINE)

    assert len(named) > 6
    for module, name in named:
        assert hasattr(importlib.import_module(f"racelog.log.read.{module}"), name), f"{module}.{name}"
