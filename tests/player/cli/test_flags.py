"""A flag that cannot be is refused, also where this way of playing makes no use of it."""

from pathlib import Path

import pytest

from racelog.cli import run

WAYS = [["--plain"], ["--at", "end"], ["--dry-run"], ["--at", "end", "--json"], []]
WRONG = [
    (["--theme", "nosuch"], "no theme 'nosuch'"),
    (["--start", "soon"], "'soon'"),
    (["--until", "late"], "'late'"),
    (["--idle-limit", "much"], "'much'"),
    (["--ab", "10s"], "10s"),
    (["--loop", "often"], "--loop 'often'"),
    (["--keys", "nosuch"], "nosuch"),
    (["--size", "wide"], "no size 'wide'"),
    (["--speed", "fast"], "fast"),
    (["--cast", "film.mp4"], "a film is written as .cast or .gif"),
]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
@pytest.mark.parametrize(
    ("wrong", "said"), WRONG, ids=lambda value: value[0] if isinstance(value, list) else ""
)
def test_a_wrong_flag_is_refused_whatever_the_way_of_playing(log: Path, capfd, way, wrong, said) -> None:
    code = run(["play", str(log), *way, *wrong])
    told = capfd.readouterr()
    assert (code, said in told.err, told.out) == (2, True, "")


@pytest.mark.parametrize("name", ["x.bmp", "x"])
def test_a_picture_of_no_known_form_is_refused(log: Path, tmp_path: Path, capfd, name: str) -> None:
    assert run(["play", str(log), "--at", "end", "--snapshot", str(tmp_path / name)]) == 2
    assert "a screen is saved as .png, .svg, .txt, .ansi" in capfd.readouterr().err


def test_record_refuses_a_theme_that_its_view_would(tmp_path: Path, capfd) -> None:
    flags = ["--engine", "a=http://127.0.0.1:1/v1,model=m", "--theme", "nosuch", "--home", str(tmp_path)]
    assert run(["record", *flags]) == 2
    assert "no theme 'nosuch'" in capfd.readouterr().err
