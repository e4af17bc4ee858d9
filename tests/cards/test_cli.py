"""``racelog card``: one picture, never over another."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from racelog.errors import InputError, RaceNotFound
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from racelog_cards.cli import card


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return ScriptedRace([Plan("vllm"), Plan("sglang", ttft_ms=300)]).write_file(tmp_path / "race.rlog")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(card, [str(argument) for argument in arguments])


def test_a_card_is_named_after_the_race_and_its_path_printed(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(log).stdout == f"{RACE_ID}.png\n"
    assert (tmp_path / f"{RACE_ID}.png").read_bytes().startswith(b"\x89PNG")


def test_the_latest_race_of_the_home_is_the_default(tmp_path: Path) -> None:
    races = tmp_path / "races"
    races.mkdir()
    ScriptedRace([Plan("vllm")]).write_file(races / f"{RACE_ID}.rlog")
    assert run("--home", tmp_path, "-o", tmp_path / "a.svg").exit_code == 0
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


def test_an_existing_picture_is_not_overwritten(log: Path, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    picture.write_text("precious")
    assert isinstance(run(log, "-o", picture).exception, InputError)
    assert picture.read_text() == "precious"


def test_force_overwrites(log: Path, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    picture.write_text("old")
    assert run(log, "-o", picture, "--force").exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["card.jpg", "card"])
def test_another_kind_of_picture_is_refused_by_name(log: Path, tmp_path: Path, name: str) -> None:
    failure = run(log, "-o", tmp_path / name).exception
    assert isinstance(failure, InputError)
    assert name in str(failure)


def test_a_folder_that_is_not_there_is_a_clear_mistake(log: Path, tmp_path: Path) -> None:
    failure = run(log, "-o", tmp_path / "no" / "card.png").exception
    assert isinstance(failure, InputError)


def test_no_race_is_a_clear_mistake(tmp_path: Path) -> None:
    assert isinstance(run("--home", tmp_path).exception, RaceNotFound)


def test_a_race_id_that_is_a_path_names_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    race = ScriptedRace([Plan("vllm")])
    monkeypatch.setattr("racelog.testing.races.RACE_ID", "../../evil")
    log = race.write_file(tmp_path / "race.rlog")
    monkeypatch.chdir(tmp_path)
    assert run(log).stdout == "race.png\n"


def test_help_loads_neither_matplotlib_nor_numpy() -> None:
    script = "import sys, racelog_cards.cli; print({'matplotlib', 'numpy'} & set(sys.modules))"
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert printed == "set()\n"


def drawn(name: str, folder: Path, **environment: str) -> bytes:
    """Return the card that a process of its own draws of a race in ``folder``."""
    log = folder / "race.rlog"
    if not log.exists():
        ScriptedRace([Plan("vllm"), Plan("sglang", ttft_ms=300)]).write_file(log)
    done = subprocess.run(
        [sys.executable, "-m", "racelog", "card", log, "-o", name],
        env={**os.environ, **environment}, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{name}\n", "")
    return (folder / name).read_bytes()


@pytest.fixture(scope="module")
def plain_card(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return drawn("plain.png", tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "environment",
    [
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
        {"MPLBACKEND": "nonsense"},
        {"MPLCONFIGDIR": "/dev/null/none"},
        {"MATPLOTLIBRC": "odd.rc"},
    ],
    ids=str,
)
def test_an_odd_environment_of_matplotlib_changes_no_card(
    environment: dict[str, str], plain_card: bytes, tmp_path: Path
) -> None:
    (tmp_path / "odd.rc").write_text("text.usetex: True\naxes.facecolor: red\n")

    assert drawn("odd.png", tmp_path, **environment) == plain_card


def test_a_plot_is_drawn_whatever_jupyter_says(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "racelog", "sql", "--plot", "line", "-o", "p.png", "select i from range(3) t(i)"],
        env={**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}, cwd=tmp_path, check=False,
    )  # fmt: skip

    assert (done.returncode, (tmp_path / "p.png").exists()) == (0, True)
