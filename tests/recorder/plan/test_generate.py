"""What is written out of the rows of a plan's fields is what the rows say today."""

from pathlib import Path

import pytest

from racelog_recorder.plan import generate
from racelog_recorder.plan.fields.checks import span_text
from racelog_recorder.plan.fields.kinds import span

AGAIN = "run: python -m racelog_recorder.plan.generate"


@pytest.mark.parametrize("path", [generate.SCHEMA, generate.FLAGS, generate.PAGE], ids=lambda path: path.name)
def test_a_shipped_file_is_the_one_the_rows_make(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generate.generated()[path], AGAIN


def test_a_table_is_put_where_the_old_one_stood_and_nothing_else_moves() -> None:
    page = "before\n\n| field | meaning | default |\n| --- | --- | --- |\n| old | | |\n\nafter\n"

    assert generate.with_table(page, "field", "new\n") == "before\n\nnew\n\nafter\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.25s"), (90.0, "90s"), (120.0, "120s"), (600.0, "10m"), (5400.0, "90m"), (7200.0, "2h")],
)
def test_a_span_is_said_as_a_file_would_say_it(seconds: float, text: str) -> None:
    assert span_text(seconds) == text
    assert span(86_400, zero=False).check(text) == seconds
