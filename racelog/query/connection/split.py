"""Where one SQL statement ends and the next begins: a semicolon that stands in no text, name or comment. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_OPENING = re.compile(
    r"""[eE]'|'|"|\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$|--|/\*|;|\w[\w$]*|\S"""
)
"""What can begin where nothing is open; a word is taken whole, so that the dollars and quotes in it begin nothing."""

_CLOSING = {
    "'": re.compile(r"'(?:''|[^'])*'(?!')"),
    '"': re.compile(r'"(?:""|[^"])*"(?!")'),
    "e'": re.compile(r"[eE]'(?:''|\\.|[^'\\])*'(?!')", re.DOTALL),
    "--": re.compile(r"--[^\n]*(?:\n|\Z)"),
}
_COMMENT_SIGN = re.compile(r"/\*|\*/")


class Statement(NamedTuple):
    """One statement without the semicolon that ends it; ``ended`` is False of a last one that has none.

    ``text`` is what stood there, ``bare`` whether that is nothing but comments, ``cut_off`` whether a text, a name or a
    comment in it is still open.
    """

    text: str
    ended: bool
    bare: bool
    cut_off: bool = False


def split(text: str) -> Iterator[Statement]:
    """Yield the statements in ``text``, in its order; joined by semicolons they are ``text`` again.

    Comments belong to the statement after them, or before the semicolon. Cost: one look at every character.
    """
    begin = at = 0
    bare = True
    while found := _OPENING.search(text, at):
        sign = found.group().lower()
        if sign == ";":
            yield Statement(text[begin : found.start()], ended=True, bare=bare)
            begin, at, bare = found.end(), found.end(), True
            continue
        end = _end(text, found.start(), sign)
        bare = bare and sign in ("--", "/*")
        if end is None:
            yield Statement(text[begin:], ended=False, bare=bare, cut_off=True)
            return
        at = end
    if text[begin:].strip():
        yield Statement(text[begin:], ended=False, bare=bare)


def without_end(text: str) -> str:
    """Return the first statement in ``text`` that says something, without its semicolon and what comes after it."""
    return next((statement.text for statement in split(text) if not statement.bare), text)


def _end(text: str, begin: int, sign: str) -> int | None:
    """Return where what begins with ``sign`` ends; None if it goes on after ``text``."""
    if sign == "/*":
        return _comment_end(text, begin)
    if sign.startswith("$") and len(sign) > 1:
        tag = text[begin : begin + len(sign)]
        end = text.find(tag, begin + len(tag))
        return None if end < 0 else end + len(tag)
    if sign not in _CLOSING:
        return begin + len(sign)
    found = _CLOSING[sign].match(text, begin)
    return found.end() if found else None


def _comment_end(text: str, begin: int) -> int | None:
    """Return where a comment ends that may hold others."""
    depth, at = 0, begin
    while found := _COMMENT_SIGN.search(text, at):
        depth += 1 if found.group() == "/*" else -1
        at = found.end()
        if depth == 0:
            return at
    return None
