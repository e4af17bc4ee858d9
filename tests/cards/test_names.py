"""Names that no font at hand draws stay apart, readable, and the card says how."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from racelog.testing.races import Plan
from racelog_cards import fonts
from racelog_cards.draw import draw, render
from racelog_cards.pen import ELLIPSIS, Pen
from racelog_cards.spec import card_spec
from racelog_cards.wording import shown, unseen_emoji
from tests.cards.races import summary_of, three_lanes


def latin(character: str) -> bool:
    """A font with Latin letters and no other."""
    return ord(character) < 0x250 or character in "\N{EN DASH}…·"


def names(*engines: str, draws: Callable[[str], bool] = latin) -> list[str]:
    race = summary_of(*(Plan(engine, ttft_ms=100 + number) for number, engine in enumerate(engines)))
    return [row.name for row in card_spec(race, draws).rows]


def test_letters_without_a_glyph_are_told_by_their_numbers() -> None:
    assert names("引擎一", "引擎二", "m-引擎") == ["[5F15·64CE·4E00]", "[5F15·64CE·4E8C]", "m-[5F15·64CE]"]


def test_emoji_are_named_where_names_would_be_one_without_them() -> None:
    assert names("llama 🦙", "llama 🚀", "vllm 🚀") == ["llama llama", "llama rocket", "vllm"]


def test_engines_that_are_emoji_alone_are_named() -> None:
    assert names("🚀", "🦙") == ["rocket", "llama"]


def test_names_that_still_are_alike_have_their_lanes_number() -> None:
    assert names("a", "a", "b") == ["a (lane 1)", "a (lane 2)", "b"]


@pytest.mark.parametrize("text", ["引擎", "движок", "محرك", "इंजन"])
def test_marks_and_letters_of_every_script_stay_told(text: str) -> None:
    drawn = shown(text, latin)
    assert drawn.startswith("[")
    assert drawn.count("·") == len(text) - 1


def test_the_card_says_what_the_numbers_are() -> None:
    race = summary_of(Plan("引擎一"), Plan("b"))
    told = "[4E00]: the Unicode number of a letter that no font here draws"
    assert (told in card_spec(race, latin).footer, told in card_spec(three_lanes(), latin).footer) == (
        True,
        False,
    )


def test_emoji_that_vanish_are_known() -> None:
    assert unseen_emoji(["🚀 a 🦙", "🚀"], latin) == "🚀🦙"


def test_any_installed_font_that_has_a_letter_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_found", [])
    monkeypatch.setattr(fonts, "_listed", lambda: ("DejaVu Sans Mono",))
    fonts.draws.cache_clear()
    try:
        assert (fonts.draws("Ǆ"), fonts.families()[0], len(fonts.families()) > 1) == (
            True,
            "DejaVu Sans Mono",
            True,
        )
    finally:
        fonts.draws.cache_clear()


def test_an_open_loop_tells_its_rate_and_a_closed_one_its_concurrency() -> None:
    race = three_lanes()
    opened = replace(race, concurrency=0, load=replace(race.load, rate_per_s=50.0, arrival="poisson"))
    told = [card_spec(one, latin).subtitle[-1] for one in (opened, race)]
    assert told == ["4 requests each, poisson arrivals at 50/s", "4 requests each, one at a time"]


def test_an_svg_has_the_cards_pixels_for_its_size() -> None:
    head = render(card_spec(three_lanes(), latin), form="svg")[:600]
    assert b'width="1200px" height="675px" viewBox="0 0 1200 675"' in head


def test_small_print_is_broken_between_words_and_never_inside_one() -> None:
    race = three_lanes()
    words = "the measuring machine was too slow for every one of these engines"
    spec = replace(card_spec(race, latin), footer=(" ".join([words] * 6),))
    drawn = [text.get_text() for text in draw(spec).axes[0].texts]
    lines = [text for text in drawn if "measuring" in text]
    assert len(lines) > 1
    assert {word for line in lines for word in line.split()} == set(words.split())


@pytest.mark.parametrize("both_ends", [True, False])
def test_a_text_that_is_too_long_is_cut_at_a_words_end(both_ends: bool) -> None:  # noqa: FBT001 - which end
    text = "Which of these servers answers first when prompts are long and answers are short"
    pen = Pen((1200, 675), "#000000")
    cut = pen.fit(text, 20, 400, both_ends=both_ends)
    assert cut != text
    assert [word for word in cut.replace(ELLIPSIS, " ").split() if word not in text.split()] == []
