"""A dialect of another package, checked when it is found and held to its promises while it is used.

It may raise or return anything: a message that it cannot read is malformed, a request that it cannot make is that engine's problem
before the race. The price is about 0.3 us a token, which ours do not pay.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from msgspec import structs

from racelog.errors import EngineError
from racelog.events import KIND_CODES
from racelog.plugins import reason
from racelog_recorder.dialects.dialect import NAME_PATTERN, Dialect
from racelog_recorder.dialects.message import Done, Failed, MalformedMessage, Message, Payload, inert


def checked(name: str, found: object) -> Dialect:
    """Return what a package adds under ``name``, guarded.

    Raises:
        TypeError: it is no `Dialect`.
        ValueError: one of its fields is not what it has to be.
    """
    if not isinstance(found, Dialect):
        raise TypeError(f"it is {type(found).__name__}, not a racelog_recorder.dialects.api.Dialect")
    if found.name != name:
        raise ValueError(f"its name is {found.name!r}; give the entry point and the dialect one name")
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(f"{name!r} is no name; take small letters, digits, '.', '_' and '-', at most 64")
    for field in ("path", "models_path", "metrics_path"):
        if getattr(found, field).startswith("/"):
            raise ValueError(f"{field} begins with '/'; it stands under the base URL, so leave that out")
    if not found.path:
        raise ValueError("path is empty; say where requests go, under the base URL")
    if found.stream_type != found.stream_type.strip().lower() or ";" in found.stream_type:
        raise ValueError(
            f"stream_type is {found.stream_type!r}; give it in small letters, without parameters"
        )
    return _guarded(found)


def _guarded(dialect: Dialect) -> Dialect:
    """Return ``dialect`` with functions that fail as ours do, whatever they raise or return."""
    name = dialect.name

    def parse(payload: bytes) -> Payload:
        try:
            return _whole(dialect.parse(payload))
        except MalformedMessage:
            raise
        except Exception as error:
            raise MalformedMessage(f"the dialect {name} fails on a message: {reason(error)}") from error

    def listed(content: bytes) -> list[str]:
        try:
            return [str(model) for model in dialect.listed(content)]
        except Exception:  # noqa: BLE001 - a list that cannot be read names no models
            return []

    def body(
        model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
    ) -> dict[str, Any]:
        made: dict[str, Any] = _made(
            name, "a request", lambda: dialect.body(model, messages, params, ask_usage=ask_usage)
        )
        return made

    def auth(key: str) -> dict[str, str]:
        made: dict[str, str] = _made(name, "the headers of a key", lambda: _headers(dialect.auth(key)))
        return made

    return replace(dialect, parse=parse, listed=listed, body=body, auth=auth)


def _whole(said: object) -> Payload:
    """Return what a payload says as the stream's sink takes it: texts that can be written, ``odd`` where it is.

    Raises:
        TypeError: it is none of the types of `Payload`, or has a part of another type.
    """
    if not isinstance(said, Message):
        if isinstance(said, Failed | Done):
            return inert(said)
        raise TypeError(f"parse returns {type(said).__name__}, not Message, Failed or Done")
    if said.code not in KIND_CODES or not isinstance(said.text, str):
        raise TypeError(f"a Message has the code {said.code!r} and a text of {type(said.text).__name__}")
    if said.text.isascii() and not (said.finish_reason or said.timings or said.more or said.note):
        return said if not (said.choice or said.whole) else structs.replace(said, odd=True)
    clean = inert(said)
    assert isinstance(clean, Message)
    odd = clean.odd or bool(clean.more or clean.choice or clean.whole or clean.note)
    return structs.replace(clean, odd=odd)


def _made(name: str, what: str, make: Callable[[], Any]) -> Any:
    """Return what ``make`` does.

    Raises:
        EngineError: it fails.
    """
    try:
        return make()
    except Exception as error:
        raise EngineError(f"the dialect {name} cannot make {what} ({type(error).__name__})") from error


def _headers(made: Mapping[str, str]) -> dict[str, str]:
    """Return headers that can be sent.

    Raises:
        ValueError: one cannot.
    """
    headers = dict(made)
    for name, value in headers.items():
        if not (name.isascii() and value.isascii() and name.isprintable() and value.isprintable()):
            raise ValueError
    return headers
