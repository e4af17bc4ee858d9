"""What a recorder and its view say to each other survives the way, and nothing else is taken for it."""

import pytest

from racelog.clock import NS_PER_S
from racelog.live import LONGEST_LABEL, Wish, countdown_label, countdown_ns, read_wish, wish_line

WISHES = [
    Wish("up"), Wish("stop"), Wish("restart"), Wish("pause"), Wish("resume"), Wish("eliminate", lane=3),
    Wish("mark", label="naïve 🏁\nline two"),
]  # fmt: skip


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.do)
def test_a_wish_comes_as_it_was_sent_on_one_line(wish: Wish) -> None:
    line = wish_line(wish)
    assert (line.count(b"\n"), read_wish(line.removesuffix(b"\n"))) == (1, wish)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b'{"do":"fly"}', b'{"do":1}', b'{"do":"stop"', b"\xff\xfe"]
)
def test_what_is_no_wish_is_none(line: bytes) -> None:
    assert read_wish(line) is None


def test_a_wish_of_a_later_racelog_with_more_to_say_is_heard() -> None:
    assert read_wish(b'{"do":"stop","why":"too slow"}') == Wish("stop")


def test_a_label_is_cut_where_it_is_read() -> None:
    wish = read_wish(wish_line(Wish("mark", label="x" * 500)))
    assert wish == Wish("mark", label="x" * LONGEST_LABEL)


@pytest.mark.parametrize("seconds", [0.5, 3, 10, 3600])
def test_a_countdown_lasts_as_long_as_its_mark_says(seconds: float) -> None:
    assert countdown_ns(countdown_label(seconds)) == seconds * NS_PER_S


@pytest.mark.parametrize("label", ["countdown", "countdown:", "countdown:soon", "countdown:0", "countdown:-1", "countdown:nan",
                                   "countdown:inf", "countdown:3601"])  # fmt: skip
def test_a_countdown_of_no_length_lasts_three_seconds(label: str) -> None:
    assert countdown_ns(label) == 3 * NS_PER_S


@pytest.mark.parametrize("label", ["", "go", "countdowns", "my countdown", "countdown party"])
def test_another_mark_begins_no_countdown(label: str) -> None:
    assert countdown_ns(label) is None
