"""What holds on every page, at every size, with any number of engines: rows fit, cuts have a sign, room is used."""

import re
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import AnyEvent
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import text_of
from racelog_player.panes.screen import screen
from racelog_player.panes.widgets import fitted, line_width
from racelog_player.terminal.canvas import Span
from racelog_player.terminal.cells import named, prose, width
from racelog_player.terminal.style import Look
from tests.player.panes.pages.test_pages import PAGES
from tests.player.theatre import SECOND, Still

SIZES = [(60, 15), (80, 24), (120, 36), (200, 60)]
NAME = "an-engine-whose-name-is-far-too-long-for-any-column-of-any-table-number-"


@lru_cache
def race_of(engines: int) -> tuple[AnyEvent, ...]:
    """Return a race of engines with long names, of which every other one fails now and then."""
    plans = [
        Plan(
            f"{NAME}{number}",
            ttft_ms=60 + 11 * number,
            requests=48,
            tokens=20,
            fail=(7, 19, 30, 41) if number % 2 else (),
        )
        for number in range(engines)
    ]
    return tuple(
        ScriptedRace(plans, prompts=["Why is the sky blue, and why is it red at night? " * 9]).events()
    )


def drawn(page: str, engines: int, size: tuple[int, int], seconds: float) -> list[str]:
    made = Player(
        Still(RaceTracks(list(race_of(engines)))), Playhead(round(seconds * SECOND), 0, paused=True)
    )
    made.scene(0)
    for key in PAGES[page]:
        made.press(key, 0)
    return text_of(screen(made.scene(0), Look(), *size)).split("\n")[: size[1]]


def longest_gap(rows: list[str]) -> int:
    """Return the most rows in a row that are blank, or hold a box's rail alone."""
    signs = "".join("." if row.strip(" ▎") else " " for row in rows[2:-2])
    return max(map(len, re.findall(" +", signs)), default=0)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "insights"])  # whole sentences, wrapped
@pytest.mark.parametrize("engines", [2, 5, 10])
@pytest.mark.parametrize("size", SIZES)
def test_every_row_fits_and_a_name_that_is_cut_has_its_sign(
    page: str, engines: int, size: tuple[int, int]
) -> None:
    rows = drawn(page, engines, size, 12.0)
    cut = [
        row
        for row in rows
        for found in re.finditer(r"an-eng[a-z-]*\d*", row)
        if not re.fullmatch(rf"{NAME}\d+", found.group()) and not row[found.end() :].startswith("…")
    ]

    assert (max(map(width, rows)) <= size[0], cut) == (True, [])


@pytest.mark.parametrize("engines", [2, 3, 5, 10])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seconds", [12.0, 9_999.0])
def test_the_race_leaves_no_room_while_there_is_more_to_show(
    engines: int, size: tuple[int, int], seconds: float
) -> None:
    assert longest_gap(drawn("race", engines, size, seconds)) <= 2


@pytest.mark.parametrize("size", SIZES[1:])
def test_details_use_most_of_the_screen(size: tuple[int, int]) -> None:
    rows = drawn("details", 2, size, 12.0)

    assert sum(not row.strip() for row in rows) <= size[1] * 0.3


@pytest.mark.parametrize("size", [(120, 36), (200, 60)])
def test_details_have_every_percentile_from_120_columns_on(size: tuple[int, int]) -> None:
    (head,) = [row for row in drawn("details", 2, size, 12.0) if " LATENCY" in row]

    assert head.split()[1:8] == ["min", "p50", "p75", "p90", "p95", "p99", "max"]


@pytest.mark.parametrize("size", [(100, 30), (120, 36), (200, 60)])
def test_all_engines_stand_in_the_standings_where_there_are_rows_for_them(size: tuple[int, int]) -> None:
    rows = drawn("race", 10, size, 12.0)

    assert [row for row in rows if "more" in row and "…" in row] == []


@pytest.mark.parametrize("engines", [1, 2, 5, 10])
@pytest.mark.parametrize("size", SIZES[1:])  # the smallest has a row for who won, and none for a table of ten
def test_the_result_has_every_engine_or_says_how_many_more_there_are(
    engines: int, size: tuple[int, int]
) -> None:
    rows = drawn("race", engines, size, 9_999.0)
    start = next(index for index, row in enumerate(rows) if row.startswith(" RESULT"))
    listed = [row for row in rows[start:] if re.match(r" ?(?:🥇|🥈|🥉|\d+|DNF) +◆", row)]
    more = [int(found[1]) for row in rows[start:] if (found := re.search(r"… and (\d+) more", row))]

    assert len(listed) + sum(more) == engines


@pytest.mark.parametrize("columns", range(60, 161, 3))
def test_the_headline_of_the_result_has_no_label_without_its_number(columns: int) -> None:
    (row,) = [row for row in drawn("race", 2, (columns, 40), 9_999.0) if " wins" in row and "🏆" in row]

    assert re.search(r" wins(?:  TTFT p50 [\d.]+ m?s(?:, [\d.]+x ahead of \S+)?)?$", row.rstrip())


@given(st.lists(st.text("ab 日…", max_size=9), max_size=5), st.integers(1, 30))
def test_a_line_made_to_fit_is_as_wide_as_asked_and_says_what_it_lost(texts: list[str], cells: int) -> None:
    whole = "".join(texts)
    line = fitted([Span(text) for text in texts], cells)
    text = "".join(span.text for span in line)
    kept = text.rstrip() == whole.rstrip() or (text.rstrip() or "…").endswith("…")

    assert (line_width(line), kept) == (cells, True)


@pytest.mark.parametrize(
    ("most", "lines"),
    [
        (3, ["one two", "three", "four"]),
        (2, ["one two", "three …"]),
        (1, ["one tw…"]),
    ],
)
def test_prose_keeps_its_beginning_and_says_that_it_was_cut(most: int, lines: list[str]) -> None:
    assert prose("one two three four", 7, most) == lines


@pytest.mark.parametrize("unit", ["%", "ms", "s", "tok/s", "req/s"])
@pytest.mark.parametrize("cells", range(8, 30))
def test_no_line_is_broken_between_a_figure_and_its_unit(unit: str, cells: int) -> None:
    lines = prose(f"7 of 16 finished, 43.8 {unit}; the bound is 95 {unit}, and so on", cells, 99)

    parted = [
        line for line in lines if re.match(rf"{unit}\b|{unit}[;,]|%", line) or re.search(r"\.\d$|95$", line)
    ]
    assert parted == []


@pytest.mark.parametrize("columns", [60, 66, 72, 80, 100, 120])
def test_a_lane_that_is_over_tells_whole_numbers_alone(columns: int) -> None:
    rows = drawn("race", 5, (columns, 40), 9_999.0)

    assert [row for row in rows if re.search(r"48 requests? in [\d.,]*…", row)] == []


@pytest.mark.parametrize("page", ["race", "timeline", "health"])
@pytest.mark.parametrize("size", SIZES[1:])
def test_names_that_differ_at_their_end_are_told_apart(page: str, size: tuple[int, int]) -> None:
    rows = "\n".join(drawn(page, 2, size, 12.0))

    assert ("r-0" in rows, "r-1" in rows) == (True, True)


@pytest.mark.parametrize(
    ("cells", "shown"),
    [(20, "llama-server-build-3"), (16, "llama-serv…ild-3"), (12, "llama-se…d-3"), (8, "llama-s…"), (22, "llama-server-build-3  ")],
)  # fmt: skip
def test_a_name_that_does_not_fit_loses_its_middle(cells: int, shown: str) -> None:
    assert named("llama-server-build-3", cells) == shown


@given(st.text("ab-日本9", max_size=30), st.integers(1, 30))
def test_a_name_is_as_wide_as_asked(name: str, cells: int) -> None:
    assert width(named(name, cells)) == cells
