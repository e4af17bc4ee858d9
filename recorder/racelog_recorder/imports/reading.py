"""Reading a foreign file: which tool wrote it, within bounds, with reasons where it cannot be imported."""

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from racelog.errors import InputError
from racelog.log.progress import Progress
from racelog_recorder.message import MalformedMessage, decoded

MOST_DOCUMENT_BYTES = 1 << 30
"""A JSON document is held in memory whole, a few times over."""

MOST_LINE_BYTES = 1 << 26
"""A line is a request; 64 MiB of one are no text any more."""

MOST_LINES_BYTES = 1 << 33
"""JSON lines are read one by one, but what they say is held in memory until it is written."""

TELLING = {
    "aiperf-raw": {"metadata", "responses"},
    "aiperf-records": {"metadata", "metrics"},
    "guidellm": {"benchmarks"},
    "vllm-bench": {"ttfts", "itls"},
}
"""What a file is, and the names that tell it from the others."""

Found = TypeVar("Found")


_names = msgspec.json.Decoder(dict[str, Raw])

WANTED = (
    "aiperf's profile_export_raw.jsonl or profile_export.jsonl, the JSON of vllm bench serve --save-result --save-detailed, "
    "or guidellm's JSON"
)


def kind_of(path: Path) -> str:
    """Return what a file is: ``aiperf-raw``, ``aiperf-records``, ``vllm-bench`` or ``guidellm``.

    Raises:
        InputError: it is none of them, or holds a summary only; the message says what to import instead.
    """
    with opened(path) as file:
        first = file.readline(MOST_LINE_BYTES + 1)
        if len(first) <= MOST_LINE_BYTES and (found := _told_by(_names_in(first))):
            return found
    content = document(path)
    found = _told_by(_names_in(content))
    if not found:
        raise InputError(f"{path} is not a file that racelog imports{_flaw(content)}; those are {WANTED}")
    return found


def _flaw(content: bytes) -> str:
    """Return what is wrong with a JSON object that nobody can read, such as that it is cut off; lines are no one object."""
    if not content.lstrip().startswith(b"{"):
        return ""
    try:
        msgspec.json.decode(content, type=Raw)
    except RecursionError:
        return " (it is nested too deep)"
    except msgspec.DecodeError as error:
        return "" if "trailing" in str(error) else f" ({error})"
    return ""


def _told_by(names: frozenset[str]) -> str:
    """Return the kind of file whose object has these names; empty if they tell none."""
    for kind, telling in TELLING.items():
        if telling <= names:
            return kind
    if "aiperf_version" in names:
        raise InputError(
            "this is aiperf's summary, which has no times of requests; import profile_export_raw.jsonl beside it "
            "(aiperf profile --export-level raw) or profile_export.jsonl"
        )
    if "mean_ttft_ms" in names:
        raise InputError(
            "this is vllm bench's summary, which has no times of requests; run vllm bench serve with "
            "--save-result --save-detailed"
        )
    return ""


def _names_in(content: bytes) -> frozenset[str]:
    """Return the names in a JSON object; none if it is no such thing."""
    try:
        found: dict[str, Raw] = decoded(_names, content, "JSON object")
        return frozenset(found)
    except MalformedMessage:
        return frozenset()


def opened(path: Path) -> BufferedReader:
    """Open a regular file for reading.

    Raises:
        InputError: it is not there, is no regular file, or may not be read.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a file; name {WANTED}")
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def document(path: Path) -> bytes:
    """Return a whole file.

    Raises:
        InputError: it cannot be read, or is larger than `MOST_DOCUMENT_BYTES`.
    """
    with opened(path) as file:
        content = file.read(MOST_DOCUMENT_BYTES + 1)
    if len(content) > MOST_DOCUMENT_BYTES:
        raise InputError(
            f"{path} is larger than {MOST_DOCUMENT_BYTES:,} bytes, the most that is read of a JSON document"
        )
    return content


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
            if line.strip():
                yield number, line


def parsed(decoder: "msgspec.json.Decoder[Found]", content: bytes, where: str) -> Found:
    """Return ``content`` decoded; broken text in it becomes U+FFFD.

    Raises:
        InputError: it is not what the tool writes; the message begins with ``where`` and says which field.
    """
    try:
        return decoded(decoder, content, "record")
    except MalformedMessage as error:
        raise InputError(f"{where}: {error.__cause__}") from error


def named(value: Any) -> str:
    """Return a name that a file gives, cut to what a name may be; empty where there is none."""
    return value[:200] if isinstance(value, str) else ""
