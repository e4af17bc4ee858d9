"""Text from the outside made safe to show, and numbers of things in words.

A model's answer, a prompt or an engine's name may carry terminal escape sequences, bidirectional overrides or
half of a surrogate pair. Whatever is drawn or printed goes through `printable` first, and JSON through `json_inert`.
"""

import re
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_HIDDEN = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
"""Characters without a picture that reorder, hide or annotate what stands beside them (Unicode's Cf, but for those that are
seen, as Arabic number signs, and the two joiners, without which Persian and emoji do not read): bidirectional controls, zero
widths, interlinear annotations, tags. They are shown as nothing."""

_CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"

_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
MOST_MARKS = 8
"""Combining marks on one letter that are shown; no writing system stacks more, and a hundred cover the lines above."""

_JOINERS = "\u200c\u200d"
_VARIANTS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"

_ODD = re.compile(
    f"[{_CONTROLS}{_HIDDEN}]|(?P<marks>[{_MARKS}]{{{MOST_MARKS}}})[{_MARKS}]+|(?P<one>[{_JOINERS}{_VARIANTS}])[{_JOINERS}{_VARIANTS}]+"
)
_BREAKS = frozenset("\n\r\x0b\x0c\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}")
_JSON_ODD = re.compile(f"[\x7f-\x9f\u2028\u2029{_HIDDEN}\ud800-\udfff]")


def printable(text: str, *, newline: str = " ") -> str:
    r"""Return ``text`` with nothing in it that a terminal or a browser would obey, hide or draw over its neighbours.

    Line breaks become ``newline`` (pass ``"\n"`` to keep them), tabs four spaces, other control characters their
    visible Unicode pictures (ESC shows as ␛), bidirectional controls and other hidden characters nothing, lone
    surrogates U+FFFD; of more than `MOST_MARKS` combining marks and of repeated joiners and variants the first stay. Never
    longer than four times the input. Cost: one search of the text, and a call for each such character.
    """
    if text.isascii() and text.isprintable():
        return text
    return _ODD.sub(lambda found: _inert(found, newline), text.replace("\r\n", "\n"))


def shortened(text: str, most: int) -> str:
    """Return ``text``, or of a longer one so many characters, the last an ellipsis as a sign that there is more."""
    return text if len(text) <= most else text[: most - 1] + "…"


def name_as_text(path: str) -> str:
    r"""Return a file's name or path as text that can be encoded; a byte in it that is no UTF-8 is shown as ``\xff``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def printable_values(value: Any) -> Any:
    """Return plain containers with every text in them `printable`, line breaks kept."""
    if isinstance(value, str):
        return printable(value, newline="\n")
    if isinstance(value, dict):
        return {printable_values(name): printable_values(item) for name, item in value.items()}
    return [printable_values(item) for item in value] if isinstance(value, list | tuple) else value


def json_inert(text: str) -> str:
    r"""Return JSON in which no character steers a terminal: each such is written ``\uXXXX``, which is the same value."""
    return text if text.isascii() and "\x7f" not in text else _JSON_ODD.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _utf16(ord(found[0])))


def _utf16(code: int) -> tuple[int, ...]:
    """Return the code units of UTF-16 that stand for a character."""
    if code < 0x10000:  # noqa: PLR2004 - the first plane, where one unit is enough
        return (code,)
    return 0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code & 0x3FF)


def markdown_escaped(text: str, special: str) -> str:
    """Return ``text`` with ``special`` characters escaped for Markdown; bare addresses link nowhere, ``@`` mentions nobody."""
    shown = "".join(f"\\{character}" if character in special else character for character in text)
    shown = shown.replace("://", "\\://").replace("www.", "www\\.")  # GitHub links a bare address too
    return shown.replace("&", "&amp;").replace("@", "@\N{ZERO WIDTH NON-JOINER}")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 request``, ``1,024 requests``; a ``plural`` where an s does not make it one."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _inert(found: re.Match[str], newline: str) -> str:
    """Return what stands for what was found."""
    kept: str | None = found["marks"] or found["one"]
    if kept is not None:
        return kept
    character = found[0]
    if character in _BREAKS:
        return newline
    code = ord(character)
    if character == "\t":
        return "    "
    if code < 0x20:  # noqa: PLR2004 - C0 controls have pictures at U+2400
        return chr(0x2400 + code)
    if character == "\x7f":
        return "\N{SYMBOL FOR DELETE}"
    return REPLACEMENT if code < 0xA0 or 0xD800 <= code < 0xE000 else ""  # noqa: PLR2004 - C1 controls, half characters
