"""Reading a foreign file: within bounds, one JSON object or several, with reasons where it cannot be imported.

Python's tools write what no JSON has: bare Infinity and NaN, halves of surrogate pairs. Both are read here.
"""

import json
import re
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from racelog.errors import InputError
from racelog.log.format.progress import Progress

MOST_DOCUMENT_BYTES = 1 << 30
"""A JSON document is held in memory whole, a few times over."""

MOST_LINE_BYTES = 1 << 26
"""A line is a request; 64 MiB of one are no text any more."""

MOST_LINES_BYTES = 1 << 33
"""JSON lines are read one by one, but what they say is held in memory until it is written."""

MARKS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK": "zip",
}
"""How files begin that hold a result in a wrapping; UTF-16 is what PowerShell's ``>`` makes of a text."""

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKENS = re.compile(_STRING + rb"|-?\bInfinity\b|\bNaN\b", re.DOTALL)
_BRACES = re.compile(_STRING + rb"|[{}]", re.DOTALL)
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.",
    re.DOTALL,
)
_HALF = len(rb"\ud800")
"""A whole pair is twice as long, any other escape shorter."""

MOST_RESULTS = 10_000
"""In one file; each becomes a race."""

BOM = b"\xef\xbb\xbf"

Found = TypeVar("Found")


def opened(path: Path) -> BufferedReader:
    """Open a regular file for reading.

    Raises:
        InputError: it is not there, is no regular file, or may not be read.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a file; name one that a load tester wrote")
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def document(path: Path) -> bytes:
    """Return a whole file, without a byte order mark.

    Raises:
        InputError: it cannot be read, is larger than `MOST_DOCUMENT_BYTES`, or is compressed or UTF-16.
    """
    with opened(path) as file:
        content = file.read(MOST_DOCUMENT_BYTES + 1)
    if len(content) > MOST_DOCUMENT_BYTES:
        raise InputError(
            f"{path} is larger than {MOST_DOCUMENT_BYTES:,} bytes, the most that is read of a JSON document"
        )
    for mark, name in MARKS.items():
        if content.startswith(mark):
            raise InputError(f"{path} is {name}; unpack it, or write it as UTF-8, and import what comes out")
    return content.removeprefix(BOM)


def objects(content: bytes) -> Iterator[bytes]:
    """Yield the JSON objects in ``content``: one, a line each, one after another, or in an array.

    What is cut off, broken or no object comes as it is, as the last. Cost: one look at every byte, memory for one object.

    Raises:
        InputError: there are more than `MOST_RESULTS`.
    """
    if _is_object(content):
        yield content
        return
    begin = depth = number = 0
    for found in _BRACES.finditer(content):
        sign = found[0]
        if depth == 0 and (sign != b"{" or content[begin : found.start()].strip(b" \t\r\n,[]")):
            break
        depth += {b"{": 1, b"}": -1}.get(sign, 0)
        if depth == 0:
            number += 1
            if number > MOST_RESULTS:
                raise InputError(f"more than {MOST_RESULTS:,} results are in one file; split it")
            yield content[begin : found.end()].strip(b" \t\r\n,[]")
            begin = found.end()
    if rest := content[begin:].strip(b" \t\r\n,]"):
        yield rest


def _is_object(content: bytes) -> bool:
    """Return whether all of ``content`` is one JSON object, be it one with what Python alone writes."""
    for text in (content, b""):
        try:
            msgspec.json.decode(text or repaired(content), type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, RecursionError):
            continue
        return True
    return False


def repaired(content: bytes) -> bytes:
    """Return ``content`` as JSON: bare Infinity and NaN as texts, halves of surrogate pairs and broken UTF-8 as U+FFFD."""
    return _TOKENS.sub(_mended, content.decode("utf-8", "replace").encode())


def _mended(found: re.Match[bytes]) -> bytes:
    token = found[0]
    if not token.startswith(b'"'):
        return b'"' + token + b'"'
    return _ESCAPES.sub(lambda escape: b"\\ufffd" if len(escape[0]) == _HALF else escape[0], token)


def lines(path: Path, progress: Progress) -> Iterator[tuple[int, bytes]]:
    """Yield a file's lines that are not empty, each with its number from 1.

    Raises:
        InputError: the file cannot be read, or it or a line is larger than is read.
    """
    total = path.stat().st_size if path.exists() else 0
    if total > MOST_LINES_BYTES:
        raise InputError(f"{path} is larger than {MOST_LINES_BYTES:,} bytes, the most that is imported")
    done = 0
    with opened(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_LINE_BYTES + 1), b""), 1):
            if len(line) > MOST_LINE_BYTES:
                raise InputError(f"{path}, line {number}: longer than {MOST_LINE_BYTES:,} bytes")
            done += len(line)
            progress("reading", done, total)
            if line := line.removeprefix(
                BOM
            ).strip():  # a mark stands at the start of a file, or of one put to another
                yield number, line


def records(
    decoder: "msgspec.json.Decoder[Found]", path: Path, progress: Progress, notes: list[str]
) -> Iterator[tuple[str, Found]]:
    """Yield a file's lines decoded, each with where it stands.

    A last line that is cut off, as of a run that was killed, is left out and told in ``notes``.

    Raises:
        InputError: as `lines` and `parsed`.
    """
    unended = not _ends_a_line(path)
    waiting: tuple[str, bytes] | None = None
    for number, line in lines(path, progress):
        if waiting is not None:
            yield waiting[0], parsed(decoder, waiting[1], waiting[0])
        waiting = f"{path.name}, line {number}", line
    if waiting is None:
        return
    where, line = waiting
    if unended and _is_cut_off(line):
        notes.append(f"{where} is cut off and was left out: the run was ended while it was written")
        return
    yield where, parsed(decoder, line, where)


def _ends_a_line(path: Path) -> bool:
    with opened(path) as file:
        file.seek(max(0, path.stat().st_size - 1))
        return file.read() == b"\n"


def _is_cut_off(line: bytes) -> bool:
    """Return whether a last line without an end is no JSON."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def parsed(decoder: "msgspec.json.Decoder[Found]", content: bytes, where: str) -> Found:
    """Return ``content`` decoded, `repaired` where that is needed: a bare Infinity or NaN is the text of its name.

    Raises:
        InputError: it is not what the tool writes; the message begins with ``where`` and says which field.
    """
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        return decoder.decode(repaired(content))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: {error}") from error


def named(value: Any) -> str:
    """Return a name that a file gives, cut to what a name may be; empty where there is none."""
    return value[:200] if isinstance(value, str) else ""
