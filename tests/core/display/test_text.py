"""Text from outside cannot steer a terminal."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.display.text import MOST_MARKS, counted, json_inert, printable, printable_values

anything = st.text(st.characters(exclude_categories=()))
HOSTILE = st.text("\x1b[]31m;\x07\x9b\x9d\u202e\u2066\r\n\t\x00\ud800\udfffab")


@given(anything | HOSTILE)
def test_nothing_is_left_that_a_terminal_would_obey(text: str) -> None:
    shown = printable(text)

    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@given(anything | HOSTILE)
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    assert printable(text) == printable(printable(text))


@given(anything | HOSTILE)
def test_it_never_grows_beyond_four_times(text: str) -> None:
    assert len(printable(text)) <= 4 * len(text)


@given(anything | HOSTILE)
def test_it_can_be_written_anywhere(text: str) -> None:
    assert printable(text).encode().decode() == printable(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("naïve 日本 👩\u200d🚀", "naïve 日本 👩\u200d🚀"),
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("a\tb", "a    b"),
        ("a\r\nb\nc\u2028d", "a b c d"),
        ("a\x7fb", "a␡b"),
        ("a\x9bb", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("", ""),
    ],
)
def test_controls_become_visible(text: str, shown: str) -> None:
    assert shown == printable(text)


def test_line_breaks_can_be_kept() -> None:
    assert printable("a\r\nb\rc\x1b", newline="\n") == "a\nb\nc␛"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 lanes"), (1, "1 lane"), (2, "2 lanes"), (1024, "1,024 lanes")]
)
def test_counts_agree_with_their_noun(number: int, text: str) -> None:
    assert text == counted(number, "lane")


def test_a_plural_of_its_own_is_told() -> None:
    assert (counted(1, "batch", "batches"), counted(2, "batch", "batches")) == ("1 batch", "2 batches")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("in\u200bvisible\u2060\ufeff", "invisible"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("\ufff9base\ufffaruby\ufffb", "baseruby"),
        ("e" + "\u0301" * 500, "e" + "\u0301" * MOST_MARKS),
        ("a\ufe0f\ufe0f\u200d\u200d\ufe0fb", "a\ufe0fb"),
        ("non\u200cjoined", "non\u200cjoined"),
        ("\u0600123", "\u0600123"),
    ],
)
def test_what_hides_or_covers_is_taken_away(text: str, shown: str) -> None:
    assert shown == printable(text)


@given(st.text() | st.text("\x9b\u202e\x7f\u2028\U000e0041ab"))
def test_json_that_is_made_inert_is_the_same_value(text: str) -> None:
    made = json_inert(json.dumps(text, ensure_ascii=False))

    assert json.loads(made) == text
    assert not {unicodedata.category(character) for character in made} & {"Cc", "Cs", "Zl", "Zp"}


def test_every_text_of_plain_containers_is_made_printable() -> None:
    assert printable_values({"a\x9b": ["b\u202e\n", 1, None]}) == {"a\ufffd": ["b\n", 1, None]}
