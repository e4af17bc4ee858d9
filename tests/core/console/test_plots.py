"""``racelog sql --plot``: which column goes where, what a terminal shows, and that no value breaks it."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.cli import run
from racelog.console.axes import number_axis, time_axis, unit_of
from racelog.console.braille import plot_lines
from racelog.console.plots import KINDS, MOST_ROWS, MOST_SERIES, plot_of
from racelog.display.cells import width as cells
from racelog.errors import InputError
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import store

RACE = ScriptedRace([Plan("a", requests=3, tokens=3), Plan("b", ttft_ms=30, requests=3, tokens=3)])
PER_REQUEST = (
    "select engine, request_id + 0 as number, e2e_ms from requests join lanes using (race_id, lane_id)"
)


def shown(plot, width=40, *, braille=False, rows=6) -> list[str]:
    return [click.unstyle(line) for line in plot_lines(plot, width, braille=braille, rows=rows)]


def test_texts_name_the_series_and_the_first_number_is_x():
    plot = plot_of(
        "line", ["engine", "t_s", "ttft_ms"], [("b", 2, 5.0), ("a", 1, 4), ("b", 1, Decimal("3.5"))]
    )

    assert [(s.name, s.x, s.y) for s in plot.series] == [("b", (1.0, 2.0), (3.5, 5.0)), ("a", (1.0,), (4.0,))]
    assert (plot.x.label, plot.y.label) == ("t (s)", "ttft (ms)")


def test_columns_of_one_unit_are_drawn_together_and_another_unit_is_told():
    plot = plot_of("line", ["t_s", "p50_ms", "p99_ms", "share"], [(1, 5.0, 9.0, 0.5), (2, 6.0, 9.5, 0.5)])

    assert [series.name for series in plot.series] == ["p50_ms", "p99_ms"]
    assert (plot.y.label, plot.left_out) == ("ms", "share")


def test_a_number_alone_is_drawn_row_by_row():
    plot = plot_of("scatter", ["ttft_ms"], [(5.0,), (None,), (7.0,)])

    assert [(s.x, s.y) for s in plot.series] == [((1.0, 3.0), (5.0, 7.0))]
    assert plot.x.label == "row"


def test_ids_name_the_series_only_where_no_text_does():
    rows = [(0, "a", 1.0, 2.0), (1, "b", 1.0, 2.0)]

    assert [s.name for s in plot_of("line", ["lane_id", "engine", "x", "y"], rows).series] == ["a", "b"]
    assert [s.name for s in plot_of("line", ["lane_id", "x", "y"], [row[:1] + row[2:] for row in rows]).series] == [
        "lane 0", "lane 1",
    ]  # fmt: skip


def test_a_histogram_counts_every_number_of_the_last_column_once():
    plot = plot_of(
        "hist", ["engine", "ttft_ms"], [("a", float(value)) for value in range(100)] + [("b", 99.0)]
    )

    assert [sum(series.y) for series in plot.series] == [100, 1]
    assert (plot.x.label, plot.y.label) == ("ttft (ms)", "rows")


def test_what_there_is_no_room_for_is_told():
    many = plot_of("line", ["engine", "x_s", "y_s"], [(f"e{n}", 1, 2) for n in range(MOST_SERIES + 2)])
    long = plot_of("hist", ["x"], ((1.0,) for _ in range(MOST_ROWS + 1)))

    assert many.left_out == "2 of 10 series"
    assert long.left_out == "the rows after the first 1,000,000"


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        (["engine"], [("a",)], "needs a column of numbers; there are engine"),
        (["x"], [], "the query gave no row"),
        (["x"], [(float("nan"),), (float("inf"),)], "no row holds a number to draw; x: NaN or infinite"),
        (["x", "y"], [(1.0, None), (None, 1.0)], "no row holds a number"),
    ],
)
def test_rows_without_numbers_cannot_be_drawn(columns, rows, said):
    with pytest.raises(InputError, match=said):
        plot_of("line", columns, rows)


def test_a_column_that_begins_with_nan_is_one_of_numbers():
    plot = plot_of("line", ["a", "x", "y"], [(float("nan"), 1.0, float("nan")), (float("nan"), 2.0, 3.0)])

    assert [(series.x, series.y) for series in plot.series] == [((2.0,), (3.0,))]


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("ttft_ms", "ms"),
        ("tokens_per_s", "/s"),
        ("util_pct", "%"),
        ("mem_used_mib", "MiB"),
        ("count_star()", ""),
        ("s", ""),
    ],
)
def test_a_columns_name_tells_its_unit(column, unit):
    assert unit == unit_of(column)


def test_nanoseconds_are_labelled_in_a_unit_that_fits():
    axis = number_axis("t_sent_ns", [1e9, 4e9])

    assert axis.label == "t sent (s)"
    assert [label for _, label in axis.ticks] == ["1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0"]


def test_times_are_labelled_as_times():
    at = datetime(2026, 11, 21, 8, 0, tzinfo=UTC).timestamp()

    assert [label for _, label in time_axis("started_at", [at, at + 5 * 86_400]).ticks][-1] == "2026-11-26"
    assert [label for _, label in time_axis("started_at", [at, at + 40]).ticks][:2] == [
        "08:00:00",
        "08:00:10",
    ]


def test_two_series_in_ascii_look_so():
    plot = plot_of("line", ["engine", "t_s", "ttft_ms"], [("a", 0, 0), ("a", 4, 4), ("b", 0, 4), ("b", 4, 4)])

    assert shown(plot, 24) == [
        "ttft (ms)",
        "4 |ooooooooooooooooooooo",
        "  |              *****",
        "2 |           ***",
        "  |      *****",
        "  |   ***",
        "0 |***",
        "  +---------------------",
        "   0    1    2    3    4",
        "                   t (s)",
        "  * a  o b",
    ]


def test_one_series_is_dots():
    plot = plot_of("hist", ["x"], [(float(n % 3),) for n in range(9)])

    assert any("⣿" in line for line in shown(plot, braille=True))


@given(
    st.sampled_from(["line", "hist", "scatter"]),
    st.lists(
        st.tuples(
            st.sampled_from(["a", "\x1b[31mb\n", "c" * 90]),
            st.floats() | st.none(),
            st.floats() | st.integers(),
        ),
        max_size=20,
    ),
    st.integers(20, 200),
    st.booleans(),
)
def test_no_value_breaks_a_plot_or_runs_over_its_edge(kind, rows, width, braille):
    try:
        plot = plot_of(kind, ["engine", "t_ns", "y"], rows)
    except InputError:
        return

    for line in shown(plot, width, braille=braille):
        assert "\x1b" not in line
        assert cells(line) <= width


def test_the_command_draws_in_a_pipe_with_signs_that_tell_series_apart(home, capfd):
    store(home, RACE)

    assert run(["sql", "--plot", "line", PER_REQUEST]) == 0

    out = capfd.readouterr().out
    assert out.splitlines()[0] == "e2e (ms)"
    assert out.splitlines()[-1] == "  * a  o b"


def test_the_command_draws_a_picture_and_never_over_a_file(home, tmp_path, capfd):
    store(home, RACE)
    picture = tmp_path / "plot.png"

    assert run(["sql", "--plot", "scatter", "-o", str(picture), PER_REQUEST]) == 0
    data = picture.read_bytes()
    assert (data[:8], data[16:24]) == (
        b"\x89PNG\r\n\x1a\n",
        (1200).to_bytes(4, "big") + (675).to_bytes(4, "big"),
    )
    assert run(["sql", "--plot", "scatter", "-o", str(picture), PER_REQUEST]) == 2
    assert run(["sql", "--plot", "scatter", "--force", "-o", str(picture), PER_REQUEST]) == 0
    assert data == picture.read_bytes()


def test_a_picture_has_a_square_for_what_no_font_draws(tmp_path, capfd):
    picture = tmp_path / "plot.png"
    query = 'select \'e🚀􏿽️𓀀\' as "n𓀁", 1 as "x𓀂", 2 as "y𓀃"'

    assert run(["sql", "--plot", "scatter", "-o", str(picture), query]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "Glyph" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-f", "csv"], "--plot draws the rows, -f csv prints them"),
        (["-o", "rows.csv"], "name the file so: -o rows.png"),
    ],
)
def test_a_plot_goes_with_no_other_form(home, options, said, capfd):
    assert run(["sql", "--plot", "hist", *options, "select 1"]) == 2
    assert said in capfd.readouterr().err


def test_drawing_in_the_terminal_loads_no_matplotlib(home):
    code = (
        "import sys; from racelog.cli import run; run(['sql', '--plot', 'line', 'select 1 as x, 2 as y']); "
        "print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_null_alone_are_told_by_their_names(kind):
    with pytest.raises(
        InputError, match=rf"--plot {kind}: no row holds a number to draw; a, b: NULL in every row"
    ):
        plot_of(kind, ["a", "b"], [(None, None)] * 3)


def test_a_column_of_null_beside_numbers_is_told_to_be_left_out():
    assert plot_of("scatter", ["i", "y"], [(1, None), (2, None)]).left_out == "y (NULL in every row)"
