"""Text from a log as a card may show it: inert, free of credentials, and only what can be drawn."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from racelog.text import printable

Draws = Callable[[str], bool]
"""Whether the fonts at hand have a glyph for a character."""

LONGEST = 160
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://\S*")
_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
_HOME_PATH = re.compile(r"^(/|[A-Za-z]:\\|~/)")


def shown(text: str, draws: Draws) -> str:
    """Return what of ``text`` may stand on a card: one line, at most 160 characters, possibly nothing.

    Addresses shrink to host:port, so that no key in a URL is ever drawn. Characters without a glyph go, and what
    only modified them (joiners, variation selectors) goes too: a card has no empty boxes.
    """
    bare = _URL.sub(lambda found: _host(found.group()), text)
    kept = "".join(c for c in printable(bare[: LONGEST * 4]) if _stays(c, draws))
    words = " ".join(kept.split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def model_shown(model: str, draws: Draws) -> str:
    """Return a model's name; of a path on someone's disk only the last part."""
    name = re.split(r"[/\\]", model.rstrip("/\\"))[-1] if _HOME_PATH.match(model) else model
    return shown(name, draws)


def first_shown(candidates: Iterable[str], draws: Draws, otherwise: str) -> str:
    """Return the first candidate of which anything can be drawn, else ``otherwise``."""
    drawn = (shown(candidate, draws) for candidate in candidates)
    return next((text for text in drawn if any(c.isalnum() for c in text)), otherwise)


def undrawable(texts: Iterable[str], draws: Draws) -> str:
    """Return the letters of ``texts`` (not emoji) that no font at hand can draw, each once, in order."""
    letters = dict.fromkeys(c for text in texts for c in printable(text) if c.isalpha())
    return "".join(c for c in letters if not draws(c))


def _stays(character: str, draws: Draws) -> bool:
    if character.isspace():
        return True
    if character in _SELECTORS or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn", "Cs"):
        return False
    return draws(character)


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "…"
    return f"{parts.hostname}{port}" if parts.hostname else "…"
