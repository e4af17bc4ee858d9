"""No secret of an engine reaches the log or a message, whatever place it has and however a server echoes it."""

import json
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from racelog.errors import EngineError
from racelog.events import RequestEnd
from racelog.log.format.units import Unit, decode_payload
from racelog.log.read.scan import scan_file
from racelog_recorder.plan.model import EnginePlan, RacePlan
from racelog_recorder.preflight.preflight import check_engines
from racelog_recorder.redaction import TELLING, scrubbed, secrets_of
from tests.recorder.requesting import recorded

VISIBLE = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=" ")
SECRETS = st.text(VISIBLE, min_size=12, max_size=60).map(lambda tail: "Zq" + tail)
"""What a key may be made of; the beginning is found in no message of our own."""

PLACES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "key": lambda url, secret: {"url": url, "api_key": secret},
    "header": lambda url, secret: {"url": url, "headers": {"x-api-key": secret}},
    "bearer": lambda url, secret: {"url": url, "headers": {"authorization": f"Bearer {secret}"}},
    "query": lambda url, secret: {"url": f"{url}?key={quote(secret, safe='')}"},
    "param": lambda url, secret: {"url": url, "params": {"api_key": secret}},
}

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": lambda secret: json.dumps({"error": f"bad key {secret}"}),
    "percent": lambda secret: quote(secret, safe=""),
    "beginning": lambda secret: secret[: max(TELLING, len(secret) - 3)],
    "late": lambda secret: "x" * 470 + secret,
    "often": lambda secret: (secret + " ") * 200,
}


def _sized(status: str, kind: str, body: bytes, header: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + header + b"\r\n" + body


ECHOES: dict[str, Callable[[str], bytes]] = {
    "status body": lambda said: _sized("401 No", "text/plain", said.encode()),
    "error event": lambda said: _sized(
        "200 OK", "text/event-stream", b"data: " + json.dumps({"error": said}).encode() + b"\n\n"
    ),
    "malformed": lambda said: _sized("200 OK", "text/event-stream", b"data: {" + said.encode() + b"\n\n"),
    "no stream": lambda said: _sized("200 OK", "text/plain", said.encode()),
    "header": lambda said: _sized(
        "500 No", "text/plain", b"", b"X-Request-Id: " + said[:8000].encode() + b"\r\n"
    ),
    "content type": lambda said: _sized("200 OK", said[:8000], b""),
}


CASES = st.tuples(
    SECRETS, st.sampled_from(sorted(PLACES)), st.sampled_from(sorted(FORMS)), st.sampled_from(sorted(ECHOES))
)
"""A secret, where it is, in what form a server echoes it, and where."""


def answering(wire: Any, reply: bytes) -> Callable[[socket.socket, int], None]:
    """Return a server's script: read the request, send ``reply``, close."""

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(reply)
        connection.shutdown(socket.SHUT_RDWR)

    return script


def hidden(secret: str, text: str) -> bool:
    """Return True if no telling beginning of the secret is in ``text``."""
    return secret[: TELLING + 1] not in text


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CASES)
def test_no_secret_reaches_the_log(scripted: Any, wire: Any, case: tuple[str, str, str, str]) -> None:
    secret, place, form, echo = case
    reply = ECHOES[echo](FORMS[form](secret))

    with tempfile.TemporaryDirectory() as folder:
        log = recorded(Path(folder), **PLACES[place](scripted(answering(wire, reply)).url, secret))
        (end,) = log.of(RequestEnd)
        written = b"".join(decode_payload(found) for found in scan_file(log.path) if isinstance(found, Unit))

    assert end.status == "failed"
    assert hidden(secret, end.message)
    assert hidden(secret, written.decode())
    assert hidden(json.dumps(secret)[1:-1], written.decode())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CASES)
def test_no_secret_is_told_before_the_race(scripted: Any, wire: Any, case: tuple[str, str, str, str]) -> None:
    secret, place, form, echo = case
    reply = ECHOES[echo](FORMS[form](secret))

    values = PLACES[place](scripted(answering(wire, reply)).url, secret)
    key = values.pop("api_key", "")
    plan = RacePlan(
        engines=(EnginePlan(name="a", model="m", **values),), prompts=([{"role": "user", "content": "hi"}],)
    )
    with pytest.raises(EngineError) as caught:
        trio.run(check_engines, plan, {"a": key})

    assert hidden(secret, str(caught.value))


@given(SECRETS, st.text(max_size=50), st.text(max_size=50), st.integers(TELLING, 60))
def test_a_secret_that_was_cut_is_removed_as_far_as_it_goes(
    secret: str, before: str, after: str, length: int
) -> None:
    assert hidden(secret, scrubbed(before + secret[:length] + after, secrets_of("", [secret], {}, {})))


@given(st.text(max_size=300))
def test_text_without_secrets_stays_as_it_is_without_any_to_remove(text: str) -> None:
    assert scrubbed(text, ("", "abc")) == scrubbed(text, ())
