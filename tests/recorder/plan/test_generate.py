"""What is written out of the rows of a plan's fields is what the rows say today."""

from pathlib import Path

import pytest

from racelog_recorder.plan import generate

AGAIN = "run: python -m racelog_recorder.plan.generate"


@pytest.mark.parametrize("path", [generate.SCHEMA, generate.FLAGS, generate.PAGE], ids=lambda path: path.name)
def test_a_shipped_file_is_the_one_the_rows_make(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generate.generated()[path], AGAIN


def test_a_table_is_put_where_the_old_one_stood_and_nothing_else_moves() -> None:
    page = "before\n\n| field | meaning | default |\n| --- | --- | --- |\n| old | | |\n\nafter\n"

    assert generate.with_table(page, "field", "new\n") == "before\n\nnew\n\nafter\n"
