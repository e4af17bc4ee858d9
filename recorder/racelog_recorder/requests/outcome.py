"""What a request came to: a transport's exception, an HTTP status or a stream's facts -> one kind of `racelog.faults`."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import httpx2

from racelog.display.text import counted
from racelog_recorder.dialects.complaint import FAILING, stated_complaint
from racelog_recorder.dialects.dialect import EVENT_STREAM, Dialect
from racelog_recorder.redaction import public_url
from racelog_recorder.requests.stream import StreamFacts
from racelog_recorder.transports.pump.exchange import CUT_SHORT

Failure = tuple[str, str]
"""An error kind and its message."""

LATE_FAILURES = frozenset({"stalled", "timeout", "truncated", "reset"})
"""What may befall a connection after a whole answer, and takes nothing from it."""

CLIENT_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
"""Out of open files, of ephemeral ports towards one address, or of memory for sockets: on this side of the wire."""

_CUT_WORDS = (CUT_SHORT, "closed connection", "was closed", "disconnected", "incomplete")
"""How the transports say that the server closed too early; every other breach of the protocol is malformed."""


ASIDE_CHARACTERS = 300
"""As much of what stood beside an answer is told."""

ERROR_FIELD = "error:"
"""How llama.cpp's server began the error of a stream for long: a line of its own beside the ``data:`` lines."""

_OPENSSL_CODES = re.compile(r"\[SSL: [A-Z0-9_]+\] | \(_ssl\.c:\d+\)")
"""What OpenSSL's words stand between; the long ones have the shape of a key."""

_TRIO_WORDS = re.compile(r"^Error connecting to \('(?P<host>[^']+)', (?P<port>\d+)[^)]*\): ")


def _address_first(words: "re.Match[str]") -> str:
    host, port = words["host"], words["port"]
    return f"[{host}]:{port}: " if ":" in host else f"{host}:{port}: "


def judge(facts: StreamFacts, failure: Failure | None) -> Failure | None:
    """Return what was wrong with a stream, or None for a success.

    ``failure`` is what the transport says; an answer that told its finish reason and said that it is done is whole,
    even if the connection then broke or hung.
    """
    if facts.failure:
        return facts.failure
    if FAILING.search(facts.finish_reason):
        return "error_event", f"the answer ended with the finish reason {facts.finish_reason!r}"
    if failure:
        return None if facts.done and facts.finish_reason and failure[0] in LATE_FAILURES else failure
    return None if facts.finish_reason else _unfinished(facts)


def _unfinished(facts: StreamFacts) -> Failure:
    """Return what a stream is that ended politely without a finish reason: an error it told beside its events, or cut short."""
    if facts.aside.startswith(ERROR_FIELD):
        return "error_event", facts.aside.removeprefix(ERROR_FIELD).strip()
    if words := stated_complaint(facts.aside):
        return "error_event", words
    return (
        "truncated",
        f"the stream ended after {counted(facts.token_chunks, 'token chunk')} without a finish reason{_aside(facts)}",
    )


def _aside(facts: StreamFacts) -> str:
    """Return what stood in the stream beside its answer: a server that broke often says why in its own way."""
    if facts.aside:
        return f"; {_place_of(facts)}: {facts.aside[:ASIDE_CHARACTERS]}"
    return f"; it also said: {facts.note[:ASIDE_CHARACTERS]}" if facts.note else ""


def _place_of(facts: StreamFacts) -> str:
    """Return where what stood beside the events stood: if it is the answer, in another framing than events have, which."""
    if not facts.token_chunks and facts.aside.startswith("{"):
        return "its lines are JSON without data: before it, and so no server-sent events"
    if facts.aside.lower().startswith("data:"):
        return "its lines do not begin with data: (in small letters, nothing before it), and so are no events"
    return "beside its events it said"


def without_text(facts: StreamFacts) -> Failure | None:
    """Return what an answer is that ended well and said nothing: no success, for there is nothing to measure; None if it did."""
    if facts.token_chunks:
        return None
    counts = facts.counts
    hidden = counts.completion_tokens if counts else None
    told = f"; the server counted {counted(hidden, 'token')} that it did not send" if hidden else ""
    return "empty", f"the answer ended ({facts.finish_reason}) without any text{told}"


def not_a_stream(dialect: Dialect, content_type: str, facts: StreamFacts, head: bytes) -> Failure | None:
    """Return what a good status with the wrong kind of body is; None if it is, or proved to be, a stream."""
    if dialect.is_stream(content_type) or facts.finish_reason or facts.token_chunks:
        return None
    wanted = "an event stream" if dialect.stream_type == EVENT_STREAM else dialect.stream_type
    began = f": {head.decode('utf-8', 'replace')}" if head else ""
    return "malformed", f"answered with {content_type or 'no content type'}, not with {wanted}{began}"


def bad_status(status: int, headers: Mapping[str, str], body: str) -> Failure:
    """Return the failure that a status other than 2xx is; a rate limit says when to come back, a redirect where to."""
    retry_after, location = headers.get("retry-after", ""), headers.get("location", "")
    unit = " s" if retry_after.isdigit() else ""  # else a date
    more = f" (retry after {retry_after}{unit})" if retry_after else ""
    if location and 300 <= status < 400:  # noqa: PLR2004 - RFC 9110 §15.4
        more = f" (redirects to {public_url(location)}, and a race follows no redirect)"
    return "http", f"HTTP {status}{more}: {body or _phrase(status)}"


def _phrase(status: int) -> str:
    """Return what the standard calls a status, for a body that says nothing."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no body"


def classify(error: httpx2.HTTPError) -> Failure:
    """Return the error kind of a transport's exception, and its text.

    The kind goes by what lies underneath where that is known, and by words only where a transport gives no more.
    """
    said = _TRIO_WORDS.sub(_address_first, str(error)) or type(error).__name__
    text = _OPENSSL_CODES.sub("", said)
    if isinstance(error, httpx2.ConnectTimeout):
        return "connect_timeout", text
    if isinstance(error, httpx2.TimeoutException):
        return "timeout", text
    return _underneath(error) or _by_class(error, said), text


def _underneath(error: BaseException) -> str:
    """Return the kind of the first operating system or TLS error below ``error``, or an empty string."""
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            return "dns"
        if isinstance(cause, ssl.SSLError | ssl.CertificateError):
            return "tls"
        if isinstance(cause, OSError) and cause.errno in CLIENT_LIMITS:
            return "client_limit"
        if isinstance(cause, ConnectionRefusedError):
            return "refused"
        if isinstance(cause, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
            return "reset"
    return ""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error``, what it came from, and what that came from, members of groups in turn; each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
        waiting += [cause for cause in (current.__cause__, current.__context__) if cause is not None]


def _by_class(error: httpx2.HTTPError, text: str) -> str:
    lowered = text.lower()
    if isinstance(error, httpx2.ConnectError):
        if "refused" in lowered:
            return "refused"
        return "tls" if "ssl" in lowered or "certificate" in lowered else "connect"
    if isinstance(error, httpx2.ProtocolError | httpx2.DecodingError):
        return "truncated" if any(word in lowered for word in _CUT_WORDS) else "malformed"
    return "reset" if isinstance(error, httpx2.NetworkError) else "connect"
