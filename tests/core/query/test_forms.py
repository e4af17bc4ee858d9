"""The four forms of a result, byte for byte as in golden/; ``golden/query.sql`` asks for everything that is odd."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from click import unstyle

from racelog.cli import run
from racelog.console.tables import as_csv, as_json, as_markdown, as_table

GOLDEN = Path(__file__).with_name("golden")
QUERY = (GOLDEN / "query.sql").read_text()


def printed(form, capfdbinary):
    assert run(["sql", "-f", form, "--", QUERY]) == 0
    return capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("form", "name"), [("table", "rows.txt"), ("csv", "rows.csv"), ("json", "rows.json"), ("md", "rows.md")]
)
def test_a_form_prints_its_golden_file(form, name, capfdbinary):
    assert (GOLDEN / name).read_bytes() == printed(form, capfdbinary)


def test_csv_reads_back_as_it_was(capfdbinary):
    text = printed("csv", capfdbinary).decode()

    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    assert [row["text"] for row in rows] == ["plain", 'a "quote", a | pipe', "line\nbreak\x1b[2J"]


def test_json_reads_back_as_it_was(capfdbinary):
    rows = json.loads(printed("json", capfdbinary))

    assert rows[0] == {
        "id": 1, "text": "plain", "number": 1.5, "flag": True, "note": None, "list": [1, 2],
        "moment": "2026-11-21T01:30:00",
    }  # fmt: skip


def test_no_rows_are_an_empty_array_and_a_bare_header():
    assert "".join(as_json(["a"], [])) == "[]\n"
    assert "".join(as_csv(["a", "b"], [])) == "a,b\r\n"


def test_csv_tells_an_empty_text_from_none():
    assert "".join(as_csv(["a"], [("",), (None,)])) == 'a\r\n""\r\n\r\n'


def test_markdown_shows_a_hostile_text_and_obeys_nothing_in_it():
    text = "<img src=x> ![i](https://e.co/i) `c` *b* www.e.co @team | &lt;"

    *_, row = as_markdown(["text"], [(text,)])

    assert row == (
        "| \\<img src=x> ![i]\\(https\\://e.co/i) \\`c\\` \\*b\\* www\\.e.co @\u200cteam \\| &amp;lt; |\n"
    )


def test_columns_of_one_name_are_told_apart_in_json():
    assert "".join(as_json(["a", "a", "a_2"], [(1, 2, 3)])) == '[\n  {"a": 1, "a_3": 2, "a_2": 3}\n]\n'


def test_what_json_cannot_say_is_null_and_what_it_can_is_exact():
    rows = [(float("nan"), float("inf"), Decimal("2.50"), Decimal(10**30), b"\x01")]

    text = "".join(as_json(["nan", "inf", "decimal", "huge", "bytes"], rows))

    assert json.loads(text) == [{"nan": None, "inf": None, "decimal": 2.5, "huge": 10**30, "bytes": "01"}]


def test_fractions_of_a_column_line_up_and_a_tiny_one_does_not_vanish():
    lines = "".join(as_table(["x"], [(1.5,), (20.123456,), (1e-7,)], None)).splitlines()

    assert [line.strip() for line in lines[2:]] == ["1.500", "20.123", "1e-07"]


def test_the_widest_texts_are_cut_to_the_terminal_and_numbers_never():
    rows = [(123_456_789, "short", "long " * 30), (1, "車" * 40, "x")]

    lines = "".join(as_table(["number", "some", "other"], rows, 50)).splitlines()

    assert lines[2].endswith("…")
    assert "123456789  short" in lines[2]
    assert max(len(line) for line in lines[2:3]) <= 50
    assert lines[3].split()[1].endswith("車…")


def test_a_table_too_wide_for_the_terminal_is_told_row_by_row():
    rows = [(123_456_789, "some text", 1.5), (1, None, 22.25)]

    lines = unstyle("".join(as_table(["number", "text", "other_number"], rows, 30))).splitlines()

    assert [line.split(maxsplit=1) for line in lines if line] == [
        ["row", "1 of 2"], ["────────────", "─────────"],
        ["number", "123456789"], ["text", "some text"], ["other_number", "1.50"],
        ["row", "2 of 2"], ["────────────", "─────"],
        ["number", "1"], ["text", "-"], ["other_number", "22.25"],
    ]  # fmt: skip
