"""What a dialect is: where an engine's requests go, what they say, how its stream is read. Data and pure functions, no waiting.

A dialect is one module that makes a `Dialect`, and one entry: in `racelog_recorder.dialects.registry` for ours, in the entry-point
group ``racelog.dialects`` for anybody's. Everything else - preflight, race, metrics, `--help`, errors - goes by its fields.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from racelog_recorder.dialects.complaint import named_error_text
from racelog_recorder.dialects.framing import ErrorPayload, Framing
from racelog_recorder.dialects.message import Done, Failed, Payload
from racelog_recorder.dialects.sse import SSEParser

EVENT_STREAM = "text/event-stream"

NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"
"""What a dialect may be called: what fits behind ``dialect=`` in a flag, and into a plan without quotes."""

HEARTBEAT = re.compile(
    rb"null|\"?(?:ping|pong|keep[-_ ]?alive|heart[-_ ]?beat|[-+0-9:., /TZ]+)\"?", re.IGNORECASE
)
"""Payloads of text alone that keep a connection busy: a word for it, or a time. They say nothing of the answer."""


class MakeBody(Protocol):
    """Makes the JSON body of a streaming request."""

    def __call__(
        self, model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
    ) -> dict[str, Any]:
        """Return the body; ``ask_usage`` asks for the server's token counts where the dialect has to ask.

        ``messages`` are as in OpenAI's chat, each with ``role`` and ``content``; ``params`` is what the plan sends, under OpenAI's
        names (``max_tokens``) or the server's own, which go in as they are.
        """
        ...


def bearer(key: str) -> dict[str, str]:
    """Return a key as most servers take it: ``authorization: Bearer KEY``."""
    return {"authorization": f"Bearer {key}"}


def key_header(name: str) -> Callable[[str], dict[str, str]]:
    """Return an `auth` that sends the key alone, in the header ``name``: ``x-api-key``, ``api-key``."""
    return lambda key: {name: key}


def no_models(content: bytes) -> list[str]:
    """Return no names: the dialect has no list of models, and a plan says which with ``model``."""
    del content
    return []


def prompt_of(messages: list[dict[str, Any]]) -> str:
    """Return a conversation as one text, for servers that take no messages: their texts, a blank line between two."""
    return "\n\n".join(text for message in messages if isinstance(text := message.get("content"), str))


def address(base_url: str, path: str) -> str:
    """Return the URL of ``path`` under a base URL; a query of the base URL stays at the end."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/" + path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One dialect, whole. Paths have no slash in front; all functions are pure, and bounded by the bytes they are given.

    Asking:
        name: what plans and logs call it, in small letters; an entry point has the same name.
        path: where a request goes, under the base URL.
        body: makes a request's JSON.
        auth: key -> headers. Called only where there is a key; whatever it returns is hidden from logs, errors and cards.
        models_path: where the server lists its models, under the base URL; empty where it cannot.
        listed: the body of that list -> names, none for a body that is no such list. Must not raise.
        length_params: parameters that bound an answer; the probe before a race lowers those that a plan sends.

    Reading:
        stream_type: the content type of its streams.
        framing: makes what parts one body into payloads: `SSEParser` or `NDJSONParser`, called with ``end``.
        end: the payload that says, alone, that an answer is whole, as OpenAI's ``[DONE]`` does; empty where there is none.
        parse: one payload -> what it says; raises `MalformedMessage` for what the dialect does not allow. Called for every token.

    Around:
        base_hint: how its base URL looks, after "It": "usually ends in /v1".
        base_endings: endings of a base URL beside which, not under which, the metrics page lies.
        metrics_path: where the server's Prometheus page is, from there.
    """

    name: str
    path: str
    body: MakeBody
    parse: Callable[[bytes], Payload]
    auth: Callable[[str], Mapping[str, str]] = bearer
    models_path: str = ""
    listed: Callable[[bytes], list[str]] = no_models
    length_params: tuple[str, ...] = ("max_tokens", "max_completion_tokens")
    stream_type: str = EVENT_STREAM
    framing: Callable[[bytes], Framing] = SSEParser
    end: bytes = b""
    base_hint: str = "usually ends in /v1"
    base_endings: tuple[str, ...] = ("/v1", "/api")
    metrics_path: str = "metrics"

    def is_stream(self, content_type: str) -> bool:
        """Return True for the content type of this dialect's streams, parameters and case aside."""
        return content_type.partition(";")[0].strip().lower() == self.stream_type

    def answers_url(self, base_url: str) -> str:
        """Return where requests go."""
        return address(base_url, self.path)

    def models_url(self, base_url: str) -> str:
        """Return where models are listed; empty where they are not."""
        return address(base_url, self.models_path) if self.models_path else ""

    def metrics_url(self, base_url: str) -> str:
        """Return where the server's Prometheus page is: beside the ending of its base URL, if it has one; without a query."""
        parts = urlsplit(base_url)
        path = parts.path.rstrip("/")
        for ending in self.base_endings:
            path = path.removesuffix(ending)
        return urlunsplit((parts.scheme, parts.netloc, f"{path}/{self.metrics_path}", "", ""))

    def auth_headers(self, key: str) -> dict[str, str]:
        """Return the headers that carry ``key``; none for an empty one."""
        return dict(self.auth(key)) if key else {}

    def secrets(self, key: str) -> tuple[str, ...]:
        """Return the key in each form in which it is sent; of a header of several words the first is a scheme (RFC 9110 §11.4)."""
        sent = [value.split() for value in self.auth_headers(key).values()]
        return (
            tuple(dict.fromkeys([key, *(word for words in sent for word in words[len(words) > 1 :])]))
            if key
            else ()
        )

    def reader(self) -> Framing:
        """Return what parts one new body into payloads."""
        return self.framing(self.end)

    def read(self, payload: bytes) -> Payload | None:
        """Return what any payload says, one that is no JSON object too; None for one that only keeps the connection busy.

        Raises:
            MalformedMessage: it is nothing that the dialect allows.
        """
        if isinstance(payload, ErrorPayload):
            return Failed(named_error_text(payload))
        text = payload.strip().strip(b'"')
        if self.end and text and text.upper() in (self.end.upper(), self.end.strip(b"[]").upper()):
            return Done()
        if not text or HEARTBEAT.fullmatch(payload.strip()):
            return None
        return self.parse(payload)
