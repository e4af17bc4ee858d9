"""Text from the outside made safe to show, and numbers of things in words.

A model's answer, a prompt or an engine's name may carry terminal escape sequences, bidirectional overrides or
half of a surrogate pair. Whatever is drawn or printed goes through `printable` first.
"""

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_BIDI = frozenset(
    "\N{LEFT-TO-RIGHT EMBEDDING}\N{RIGHT-TO-LEFT EMBEDDING}\N{POP DIRECTIONAL FORMATTING}"
    "\N{LEFT-TO-RIGHT OVERRIDE}\N{RIGHT-TO-LEFT OVERRIDE}\N{LEFT-TO-RIGHT ISOLATE}\N{RIGHT-TO-LEFT ISOLATE}"
    "\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}"
    "\N{ARABIC LETTER MARK}"
)
_BREAKS = "\n\r\x0b\x0c\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"
_OTHERS = {"\x7f": "\N{SYMBOL FOR DELETE}", **dict.fromkeys(_BIDI, "")}


def printable(text: str, *, newline: str = " ") -> str:
    r"""Return ``text`` with nothing in it that a terminal would obey.

    Line breaks become ``newline`` (pass ``"\n"`` to keep them), tabs four spaces, other control characters their
    visible Unicode pictures (ESC shows as ␛), bidirectional controls nothing, lone surrogates U+FFFD. Never longer
    than four times the input.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_inert(character, newline) for character in text.replace("\r\n", "\n"))


def markdown_escaped(text: str, special: str) -> str:
    """Return ``text`` with ``special`` characters escaped for Markdown; bare addresses link nowhere, ``@`` mentions nobody."""
    shown = "".join(f"\\{character}" if character in special else character for character in text)
    shown = shown.replace("://", "\\://").replace("www.", "www\\.")  # GitHub links a bare address too
    return shown.replace("&", "&amp;").replace("@", "@\N{ZERO WIDTH NON-JOINER}")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 request``, ``1,024 requests``; a ``plural`` where an s does not make it one."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _inert(character: str, newline: str) -> str:
    """Return what stands for one character."""
    if character in _BREAKS:
        return newline
    if unicodedata.category(character) not in ("Cc", "Cs", "Cf"):
        return character
    code = ord(character)
    if character == "\t":
        return "    "
    if code < 0x20:  # noqa: PLR2004 - C0 controls have pictures at U+2400
        return chr(0x2400 + code)
    return _OTHERS.get(character, character if unicodedata.category(character) == "Cf" else REPLACEMENT)
