"""The film as a GIF: as long as the race, legible to any reader, and every cell where it belongs."""

from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from racelog.cli import run
from racelog.testing.races import Plan, ScriptedRace
from racelog_player.film.gif import CELL_PX, LAST_TICKS, MARGIN_PX, ROW_PX, Painter
from racelog_player.terminal.canvas import Span, Style
from racelog_player.terminal.themes import find_theme

SIZE = (70, 20)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return ScriptedRace([Plan("hare", requests=3), Plan("tortoise", ttft_ms=300, requests=3)]).write_file(
        tmp_path / "race.rlog"
    )


def gif(log: Path, *flags: str) -> int:
    path = log.with_suffix(".gif")
    return run(["play", str(log), "--cast", str(path), "--size", "70x20", *flags])


def painter() -> Painter:
    return Painter(find_theme("default"), SIZE)


def cell(picture: Image.Image, column: int, row: int = 0) -> Image.Image:
    left, top = MARGIN_PX + column * CELL_PX, MARGIN_PX + row * ROW_PX
    return picture.crop((left, top, left + CELL_PX, top + ROW_PX))


def test_it_lasts_as_long_as_the_race_and_then_rests_on_the_result(log: Path) -> None:
    assert gif(log, "--fps", "5") == 0

    with Image.open(log.with_suffix(".gif")) as film:
        lasts = [frame.info["duration"] for frame in ImageSequence.Iterator(film)]
    played_ms = sum(lasts[:-1])

    assert film.size == (SIZE[0] * CELL_PX + 2 * MARGIN_PX, SIZE[1] * ROW_PX + 2 * MARGIN_PX)
    assert len(lasts) > 3
    assert lasts[-1] == LAST_TICKS * 10
    assert 1_000 < played_ms < 6_000
    assert film.info["loop"] == 0


def test_it_is_never_written_over_another(log: Path) -> None:
    assert [
        gif(log, "--speed", "max"),
        gif(log, "--speed", "max"),
        gif(log, "--speed", "max", "--force"),
    ] == [0, 2, 0]


def test_one_too_long_says_what_to_do(
    log: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("racelog_player.film.gif.MOST_FRAMES", 3)

    assert gif(log) == 2

    assert "frames is more than 3; play faster (--speed)" in capfd.readouterr().err
    assert not log.with_suffix(".gif").exists()


def test_bars_have_no_seams() -> None:
    picture = painter().painted([[Span("██", Style("#ff0000"))], [Span("██", Style("#ff0000"))]])

    bar = picture.crop((MARGIN_PX, MARGIN_PX, MARGIN_PX + 2 * CELL_PX, MARGIN_PX + 2 * ROW_PX))
    assert bar.getcolors() == [(2 * CELL_PX * 2 * ROW_PX, (255, 0, 0))]


def test_a_half_block_fills_the_left_half() -> None:
    half = cell(painter().painted([[Span("▌", Style("#ff0000"))]]), 0)

    assert half.getpixel((CELL_PX // 2 - 1, 0)) == (255, 0, 0)
    assert half.getpixel((CELL_PX // 2, 0)) != (255, 0, 0)


def test_a_sign_the_font_does_not_have_is_a_dot_and_keeps_its_two_cells() -> None:
    row = painter().painted([[Span("🐇x")], [Span("• x")]]).copy()

    assert cell(row, 0, 0).tobytes() == cell(row, 0, 1).tobytes()
    assert cell(row, 2, 0).tobytes() == cell(row, 2, 1).tobytes()


def test_a_row_that_changed_is_painted_over_whole() -> None:
    reused, fresh = painter(), painter()
    reused.painted([[Span("a long row of words", Style("#ff0000"))]])

    assert reused.painted([[Span("short")]]).tobytes() == fresh.painted([[Span("short")]]).tobytes()
