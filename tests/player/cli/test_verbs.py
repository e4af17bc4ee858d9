"""Every verb on real terminals of many kinds: no escapes where none are obeyed, no colours where none are wanted, ASCII."""

from pathlib import Path

import pytest

from racelog.testing.races import Plan, ScriptedRace

VERBS = ["ls", "info", "sql", "verify", "help", "mistake", "shell", "play", "plot"]
HOME_RACE = "20261121-013000-0a1b2c3d"


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, list[str]]:
    """Give the arguments of every verb, over a home with one race of two engines."""
    home = tmp_path / "home"
    (home / "races").mkdir(parents=True)
    path = ScriptedRace([Plan("模型引擎🚀", fail=(1,)), Plan("b")]).write_file(
        home / "races" / f"{HOME_RACE}.rlog"
    )
    query = "select engine, 1.5 as n from lanes"
    return {
        "ls": ["ls", "--home", str(home)], "info": ["info", str(path)], "sql": ["sql", query, str(path)],
        "verify": ["verify", str(path)], "help": ["--help"], "mistake": ["info", "nosuch"], "play": ["play", str(path)],
        "shell": ["shell", str(path)], "plot": ["sql", "select ttft_ms, e2e_ms from requests", str(path), "--plot", "line"],
    }  # fmt: skip


def written(terminal, arguments, **environment):
    screen = terminal(*arguments, **environment)
    if arguments[0] == "shell":
        screen.press("select 41 + 1 as answer, engine from lanes;\n\x04")
    screen.exit_code()
    return screen.written


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_obeys_no_escapes_gets_none(terminal, asked, verb, term):
    assert b"\x1b" not in written(terminal, asked[verb], TERM=term)


@pytest.mark.parametrize("verb", ["ls", "info", "sql", "verify", "help", "mistake", "plot"])
@pytest.mark.parametrize("wish", [{"NO_COLOR": "1"}, {"CLICOLOR": "0"}])
def test_who_wants_no_colours_gets_none_from_any_verb(terminal, asked, verb, wish):
    assert b"\x1b[" not in written(terminal, asked[verb], **wish)


@pytest.mark.parametrize("verb", ["ls", "info", "sql", "verify", "plot"])
def test_a_terminal_that_shows_colours_gets_them(terminal, asked, verb):
    assert b"\x1b[" in written(terminal, asked[verb])


@pytest.mark.parametrize("verb", ["ls", "info", "sql", "verify", "help", "mistake", "play", "plot"])
@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LANG": "C", "LC_ALL": ""},
        {"LANG": "de_DE.ISO-8859-1", "LC_ALL": "", "LC_CTYPE": ""},
    ],
)
def test_a_locale_without_utf_8_gets_ascii(terminal, asked, verb, locale):
    told = written(terminal, asked[verb], TERM="dumb", PYTHONUTF8="", **locale)
    assert (told.isascii(), bool(told)) == (True, True)


def test_the_full_screen_is_ascii_under_lc_all_c(terminal, asked):
    screen = terminal(*asked["play"], "--paused", LC_ALL="C", PYTHONUTF8="")
    screen.until(lambda text: "STANDINGS" in text)
    assert screen.written.isascii()
