"""What a terminal can do is told by its environment, by one rule for every verb."""

import io

import pytest

from racelog.display.signs import to_ascii
from racelog.display.terminal import AsciiWriter, SignWriter, addressable, colours, speaks_unicode


@pytest.mark.parametrize(
    ("environment", "wish"),
    [
        ({"TERM": "xterm"}, None),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, None),
        ({"TERM": "xterm", "CLICOLOR": "0"}, False),
        ({"TERM": "xterm", "CLICOLOR": "1"}, None),
        ({"TERM": "xterm", "FORCE_COLOR": "1"}, True),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "1"}, True),
        ({"TERM": "xterm", "FORCE_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": ""}, False),
        ({}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "3"}, True),
        ({"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "FORCE_COLOR": "1", "CLICOLOR": "0"}, True),
    ],
)
def test_colours_are_decided_by_the_strongest_word(environment: dict[str, str], wish) -> None:
    assert colours(environment) is wish


@pytest.mark.parametrize("term", ["", "dumb", "unknown"])
def test_a_terminal_without_a_name_obeys_no_escapes(term: str) -> None:
    assert not addressable({"TERM": term})


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, True),
        ({"LC_ALL": "C"}, False),
        ({"LC_ALL": "POSIX"}, False),
        ({"LC_ALL": "C.UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "de_DE@euro"}, True),
        ({"LANG": "ja_JP.utf8"}, True),
        ({"LC_ALL": "", "LANG": "en_GB.UTF-8"}, True),
    ],
)
def test_a_locale_that_is_not_utf_8_reads_ascii(environment: dict[str, str], told) -> None:
    assert speaks_unicode("utf-8", environment) is told


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", None])
def test_an_encoding_that_is_not_utf_8_reads_ascii(encoding: str | None) -> None:
    assert not speaks_unicode(encoding, {"LANG": "C.UTF-8"})


def test_ascii_readers_get_likenesses_as_wide_as_what_they_stand_for() -> None:
    under = io.BytesIO()
    writer = AsciiWriter(under, line_buffering=False)
    writer.write("模型 ─ 🚀 naïve…\n")
    writer.flush()
    assert under.getvalue() == b"218B -    naive.\n"


def test_a_latin_1_reader_gets_what_latin_1_has() -> None:
    under = io.BytesIO()
    writer = SignWriter(under, "iso-8859-1", line_buffering=False)
    writer.write("─ é\n")
    writer.flush()
    assert under.getvalue() == "- é\n".encode("iso-8859-1")


def test_two_names_in_chinese_are_two_in_ascii_and_as_wide() -> None:
    assert [to_ascii(name) for name in ("引擎一", "引擎二", "\N{FULLWIDTH LATIN CAPITAL LETTER A}")] == [
        "15CE00",
        "15CE8C",
        "A ",
    ]
