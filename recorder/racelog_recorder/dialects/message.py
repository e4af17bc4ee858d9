"""What one payload of a stream says, whatever the dialect: the types all dialects parse into, and how its JSON is read."""

import json
import re
from functools import cache
from types import UnionType
from typing import Any, ClassVar, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from racelog.display.text import REPLACEMENT
from racelog_recorder.dialects.usage import TokenUsage

HEAD_BYTES = 80
"""How much of a malformed message an error shows."""

_SURROGATE = re.compile("[\ud800-\udfff]")

Said = tuple[str, str]
"""A kind, as a letter of `racelog.events.KIND_CODES`, and the text of that kind."""


class Message(Struct, frozen=True, gc=False):
    """What one stream message says: a chunk, and the facts beside it.

    ``code`` is a letter of `racelog.events.KIND_CODES`; ``more`` the chunks beside that one, where a message says things of
    several kinds; ``tokens`` the server's own count for all of them; ``done`` says that the answer is whole. ``choice`` is which
    of several answers it belongs to. ``whole``: its text is all of the answer, not what came since the message before. ``halves``
    are the chunks as they came, where a text has half a surrogate pair in it. ``note`` is the message itself, where it is none of
    the dialect's, and may say what went wrong. ``odd`` says that any of those after ``done`` is there.
    """

    code: str
    text: str = ""
    tokens: int | None = None
    finish_reason: str = ""
    usage: TokenUsage | None = None
    timings: dict[str, Any] | None = None
    done: bool = False
    more: tuple[Said, ...] = ()
    choice: int = 0
    whole: bool = False
    halves: tuple[Said, ...] = ()
    note: str = ""
    odd: bool = False


class Failed(Struct, frozen=True):
    """The server says that the answer failed, and why: in its own words, never empty."""

    text: str
    odd: ClassVar[bool] = True


class Done(Struct, frozen=True):
    """The server says that the answer is whole, and nothing else. Only counts may follow."""

    odd: ClassVar[bool] = True


Payload = Message | Failed | Done
"""What one payload of a stream says."""

SEVERAL = "several answers speak in one stream, and racelog races one a request: leave out n, or set it to 1"
"""What is wrong with a stream in which answers are mixed."""


class MalformedMessage(ValueError):  # noqa: N818 - reads as the fact it is
    """A stream message is not what the dialect allows."""


Frame = TypeVar("Frame")
Shape = TypeVar("Shape", bound=Struct)


def decoded(decoder: "msgspec.json.Decoder[Frame]", payload: bytes, what: str) -> Frame:
    """Return ``payload`` decoded; what msgspec refuses but programs write is repaired first.

    Halves of surrogate pairs and broken UTF-8 become U+FFFD.

    Raises:
        MalformedMessage: the payload is no JSON of that type; the message calls it no ``what``.
    """
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        return decoder.decode(as_json(json.loads(payload.decode("utf-8", "replace"))))
    except (ValueError, RecursionError) as error:
        raise _malformed(payload, what, error) from error


def leniently(kind: type[Shape], payload: bytes, what: str) -> Shape:
    """Return a stream message as a struct of ``kind``, taken as far as it can be: what msgspec refused, but servers send.

    Broken UTF-8 becomes U+FFFD; halves of surrogate pairs stay, for the other half may come with the next message; NaN and
    numbers of any size are read; a list of one object is that object.

    Raises:
        MalformedMessage: the payload is no JSON object, or has no object where the dialect needs one; the message calls it no
            ``what``.
    """
    try:
        plain = _plain(payload)
        if isinstance(plain, list) and plain and isinstance(plain[0], dict):  # as Gemini wraps an error
            plain = plain[0]
        return shaped(kind, plain)
    except (ValueError, RecursionError) as error:
        raise _malformed(payload, what, error) from error


def _malformed(payload: bytes, what: str, error: Exception) -> MalformedMessage:
    head = payload[:HEAD_BYTES].decode("utf-8", "replace").replace("\x00", REPLACEMENT)
    return MalformedMessage(f"stream message is no {what}: {head!r}: {error}")


def plain_json(payload: bytes) -> Any:
    """Return the JSON value that a message is, of any type.

    Raises:
        MalformedMessage: it is none, or several.
    """
    try:
        return _plain(payload)
    except (ValueError, RecursionError) as error:
        raise _malformed(payload, "JSON", error) from error


def _plain(payload: bytes) -> Any:
    """Return the JSON value that ``payload`` is; raise `ValueError` if it is none, or if it is several."""
    text = payload.decode("utf-8", "replace").strip()
    value, end = _json.raw_decode(text)
    if text[end:].lstrip()[:1] in ("{", "["):
        raise ValueError(
            "it holds several JSON texts, but an event is one message: between two belongs a blank line"
        )
    if text[end:].strip():
        raise ValueError("more follows the JSON text")
    return value


_json = json.JSONDecoder()


def shaped(kind: type[Shape], value: Any) -> Shape:
    """Return a JSON object as a struct of ``kind``, whatever else it holds; a lone object stands for a list of one.

    Raises:
        ValueError: it is no object, or a part that has to be one is none.
    """
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, got {type(value).__name__}")  # noqa: TRY004 - of the message, not of an argument
    fields: dict[str, Any] = {}
    for name, (part, listed) in _parts(kind).items():
        given = value.get(name)
        if given is None or part is None:
            fields[name] = given
        elif not listed:
            fields[name] = shaped(part, given)
        else:
            items = given if isinstance(given, list) else [given]
            fields[name] = [shaped(part, item) for item in items if item is not None]
    return kind(**fields)


@cache
def _parts(kind: type[Struct]) -> dict[str, tuple[type[Struct] | None, bool]]:
    """Return for each field the struct it is made of, if it is, and whether it is a list of them."""
    found: dict[str, tuple[type[Struct] | None, bool]] = {}
    for name, hint in get_type_hints(kind).items():
        one = get_args(hint)[0] if isinstance(hint, UnionType) else hint
        listed = getattr(one, "__origin__", None) is list
        part = get_args(one)[0] if listed else one
        found[name] = (part if isinstance(part, type) and issubclass(part, Struct) else None, listed)
    return found


def inert(message: Payload) -> Payload:
    """Return ``message`` with U+FFFD for every half of a surrogate pair; its chunks as they came are its ``halves``."""
    if not isinstance(message, Message):
        return Failed(mended(message.text)) if isinstance(message, Failed) else message
    said = ((message.code, message.text), *message.more)
    halves = said if any(_SURROGATE.search(text) for _, text in said) else ()
    return replace(
        message, text=mended(message.text), more=tuple((code, mended(text)) for code, text in message.more), halves=halves,
        finish_reason=mended(message.finish_reason), timings=message.timings and json.loads(as_json(message.timings)),
        note=mended(message.note), odd=message.odd or bool(halves),
    )  # fmt: skip


def mended(text: str) -> str:
    """Return ``text`` with U+FFFD for every half of a surrogate pair in it."""
    return _SURROGATE.sub(REPLACEMENT, text)


def as_json(value: Any) -> str:
    """Return a JSON value as text, mended."""
    return mended(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
