"""Text from a log as a card may show it: inert, free of credentials, and only what can be drawn."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from racelog.display.text import printable, shortened

Draws = Callable[[str], bool]
"""Whether the fonts at hand have a glyph for a character."""

LONGEST = 160
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,31}://\S*")
_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
_NUMBERS = re.compile(r"\[[0-9A-F]{4,6}(?:·[0-9A-F]{4,6})*\]")
_HOME_PATH = re.compile(r"^(/|[A-Za-z]:\\|~/)")


def shown(text: str, draws: Draws, *, emoji: bool = False) -> str:
    """Return what of ``text`` may stand on a card: one line, at most 160 characters, possibly nothing.

    Addresses shrink to host:port, so that no key in a URL is ever drawn. Letters without a glyph are told by their
    Unicode numbers, ``[5F15·64CE]``, so that two names stay two. Emoji without one go, or are named, ``rocket``, where
    ``emoji`` asks for it, and what only modified them (joiners, variation selectors) goes too: no empty boxes.
    """
    bare = _URL.sub(lambda found: _host(found.group()), text)
    told = "".join(_told(c, draws, emoji=emoji) for c in printable(bare[: LONGEST * 4]))
    words = " ".join(told.replace("][", "·").split())
    return shortened(words, LONGEST)


def model_shown(model: str, draws: Draws) -> str:
    """Return a model's name; of a path on someone's disk only the last part."""
    name = re.split(r"[/\\]", model.rstrip("/\\"))[-1] if _HOME_PATH.match(model) else model
    return shown(name, draws)


def first_shown(candidates: Iterable[str], draws: Draws, otherwise: str) -> str:
    """Return the first candidate of which anything can be drawn, else ``otherwise``."""
    drawn = (shown(candidate, draws) for candidate in candidates)
    return next((text for text in drawn if any(c.isalnum() for c in text)), otherwise)


def numbered(texts: Iterable[str]) -> bool:
    """Return whether any of these, as `shown` gave them, has letters told by their numbers."""
    return any(_NUMBERS.search(text) for text in texts)


def unseen_emoji(texts: Iterable[str], draws: Draws) -> str:
    """Return the emoji and signs of ``texts`` that no font at hand can draw, each once, in order."""
    signs = dict.fromkeys(c for text in texts for c in printable(text) if unicodedata.category(c) == "So")
    return "".join(c for c in signs if not draws(c))


def undrawable(texts: Iterable[str], draws: Draws) -> str:
    """Return the letters of ``texts`` (not emoji) that no font at hand can draw, each once, in order."""
    letters = dict.fromkeys(c for text in texts for c in printable(text) if c.isalpha())
    return "".join(c for c in letters if not draws(c))


def _told(character: str, draws: Draws, *, emoji: bool) -> str:
    """Return a character as a card has it, possibly nothing."""
    category = unicodedata.category(character)
    if character.isspace():
        return character
    if character in _SELECTORS or category in ("Cc", "Cf", "Co", "Cn", "Cs"):
        return ""
    if draws(character):
        return character
    if category[0] in "LNM":
        return f"[{ord(character):04X}]"
    return f" {unicodedata.name(character, '').lower()} " if emoji and category == "So" else ""


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "…"
    return f"{parts.hostname}{port}" if parts.hostname else "…"
