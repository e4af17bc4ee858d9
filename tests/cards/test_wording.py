"""What stands on a card is inert, drawable, and free of credentials."""

import pytest

from racelog_cards.fonts import draws
from racelog_cards.wording import LONGEST, first_shown, model_shown, shown, undrawable


def test_an_address_shrinks_to_host_and_port() -> None:
    assert (
        shown("see https://user:sk-1234@api.example.com:8443/v1?key=sk-9", draws)
        == "see api.example.com:8443"
    )


def test_an_address_that_cannot_be_read_is_not_shown() -> None:
    assert shown("http://[::1:sk-key/ rest", draws) == "… rest"


def test_emoji_without_a_glyph_leave_no_box_and_no_gap() -> None:
    assert shown("fast 👩‍🚀🏽🦙 server\ufe0f", draws) == "fast server"


def test_terminal_controls_are_made_inert() -> None:
    assert "\x1b" not in shown("\x1b[31mred", draws)


def test_a_long_text_is_cut_to_its_limit() -> None:
    assert len(shown("word " * 1000, draws)) == LONGEST


def test_of_a_model_on_disk_only_the_file_is_shown() -> None:
    assert model_shown("/home/jane/models/qwen.gguf", draws) == "qwen.gguf"


def test_a_model_of_an_organisation_keeps_its_name() -> None:
    assert model_shown("Qwen/Qwen2.5-0.5B", draws) == "Qwen/Qwen2.5-0.5B"


def test_a_name_without_a_glyph_gives_way_to_the_next() -> None:
    assert first_shown(["🚀🚀", "qwen"], draws, "Lane 1") == "qwen"


def test_letters_that_no_font_draws_are_named_once() -> None:
    assert undrawable(["a通b通", "義"], lambda c: c.isascii()) == "通義"


@pytest.mark.parametrize("character", ["A", "ß", "Ж", "…", "·", "$"])
def test_common_characters_can_be_drawn(character: str) -> None:
    assert draws(character)
