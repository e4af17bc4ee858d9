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
from racelog.log.progress import Progress
from racelog.text import REPLACEMENT

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

_SURROGATE = re.compile("[\ud800-\udfff]")

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

    What is cut off or broken comes as it is, as the last. Cost: where there are several, all of them in memory twice.
    """
    try:
        msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        text = content.decode("utf-8", "replace")
    else:
        yield content
        return
    decoder = json.JSONDecoder()
    at = _past(text, 0, " \t\r\n[")
    while at < len(text):
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = len(text)
        yield text[at:end].encode("utf-8", "replace")
        at = _past(text, end, " \t\r\n,]")


def _past(text: str, at: int, signs: str) -> int:
    """Return where the next sign stands that is none of ``signs``."""
    while at < len(text) and text[at] in signs:
        at += 1
    return at


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
    """Return ``content`` decoded, with Python's Infinity and NaN; broken text in it becomes U+FFFD.

    Raises:
        InputError: it is not what the tool writes; the message begins with ``where`` and says which field.
    """
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        plain = _whole(json.loads(content.decode("utf-8", "replace")))
        found: Found = msgspec.convert(plain, decoder.type)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: {error}") from error
    return found


def _whole(value: Any) -> Any:
    """Return a decoded value with U+FFFD for halves of surrogate pairs."""
    if isinstance(value, str):
        return _SURROGATE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


def named(value: Any) -> str:
    """Return a name that a file gives, cut to what a name may be; empty where there is none."""
    return value[:200] if isinstance(value, str) else ""
