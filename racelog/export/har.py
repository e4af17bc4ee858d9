"""The race as an HTTP archive, HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/): an entry a request.

Only what the log knows. The bytes of requests and responses are not in it, so sizes are -1 ("not available") and the
bodies are the messages and the text. An entry begins with its connection, where it made one. A request that got no response has the status 0, as browsers write it;
one that got no connection is blocked, from when it was due until it failed.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from racelog import __version__
from racelog.clock import NS_PER_MS
from racelog.events import ClockAnchor, Prompt, ResponseHeaders
from racelog.export.single import indented, write_single
from racelog.export.source import Source

UNKNOWN = -1
UNKNOWN_URL = "http://unknown.invalid/"
"""Of an imported race whose tool kept none: an archive must have one, and this can be nobody's (RFC 2606)."""

PATHS = {"openai-chat": "/chat/completions", "openai-completions": "/completions", "ollama": "/api/chat"}
"""Dialect -> where under the base URL its requests went, for logs that do not say so. Of an imported race the tool's URL stands as it is."""

QUERY = (
    "SELECT requests.*, engine, model, url, dialect, request_path, imported_from FROM requests "
    "JOIN lanes USING (race_id, lane_id) JOIN races USING (race_id) "
    "WHERE t_sent_ns IS NOT NULL OR requests.status = 'failed' "
    "ORDER BY coalesce(t_sent_ns, t_scheduled_ns, requests.t_end_ns), lane_id, request_id"
)


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.har``.

    Raises:
        InputError: it is there already and ``force`` is not set.
        StorageError: it cannot be written.
    """
    return write_single(source, folder, form, lambda: indented(archive(source)), force=force)


def archive(source: Source) -> dict[str, Any]:
    """Return the archive as plain containers."""
    facts = _Facts(source)
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "racelog", "version": __version__},
            "pages": [],
            "entries": sorted(map(facts.entry, source.rows(QUERY)), key=itemgetter("startedDateTime")),
            "comment": f"race {source.summary.race_id}: bodies are the recorded messages and text, not the bytes sent",
        }
    }


class _Facts:
    """What the tables leave out: prompts, response headers, and where t = 0 lies in the calendar."""

    def __init__(self, source: Source) -> None:
        events = source.log.events
        self.prompts = {event.prompt: event.messages for event in events if isinstance(event, Prompt)}
        self.headers = {(e.lane, e.req): e.headers for e in events if isinstance(e, ResponseHeaders)}
        self.origin = _origin(source)

    def entry(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return one request's entry."""
        key = (row["lane_id"], row["request_id"])
        timings = _timings(row)
        connecting_ms = sum(timings[phase] for phase in ("dns", "connect") if timings[phase] != UNKNOWN)
        sent = self.origin + timedelta(microseconds=_began_ns(row) / 1000)
        started = sent - timedelta(milliseconds=connecting_ms)
        return {
            "startedDateTime": started.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "time": sum(took for phase, took in timings.items() if phase != "ssl" and took != UNKNOWN),
            "request": self._request(row),
            "response": self._response(row, self.headers.get(key, {})),
            "cache": {},
            "timings": timings,
            "connection": f"lane {row['lane_id']}",
            "comment": f"{row['engine']}, request {row['request_id']}, {row['phase']}, {row['status']}",
        }

    def _request(self, row: dict[str, Any]) -> dict[str, Any]:
        body = {"model": row["model"], "messages": self.prompts.get(row["prompt_id"], [])}
        return {
            "method": "POST", "url": _address(row), "httpVersion": "HTTP/1.1", "cookies": [], "headers": [],
            "queryString": [], "headersSize": UNKNOWN, "bodySize": UNKNOWN,
            "postData": {"mimeType": "application/json", "text": msgspec.json.encode(body).decode()},
        }  # fmt: skip

    def _response(self, row: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        status = row["http_status"] or 0
        text = row["response"] or ""
        return {
            "status": status, "statusText": _phrase(status), "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{"name": name, "value": value} for name, value in headers.items()], "redirectURL": "",
            "headersSize": UNKNOWN, "bodySize": UNKNOWN,
            "content": {
                "size": len(text.encode("utf-8", "replace")), "mimeType": "text/plain; charset=utf-8", "text": text,
            },
            **({"_error": row["error_kind"]} if row["error_kind"] else {}),
        }  # fmt: skip


def _began_ns(row: dict[str, Any]) -> int:
    """Return when a request was sent; of one that never was, when it was due, or else failed."""
    began = (row[name] for name in ("t_sent_ns", "t_scheduled_ns", "t_end_ns"))
    return next((int(t_ns) for t_ns in began if t_ns is not None), 0)


def _address(row: dict[str, Any]) -> str:
    """Return where a request went."""
    base: str = row["url"] or UNKNOWN_URL
    if base == UNKNOWN_URL or row["imported_from"]:
        return base
    path = f"/{row['request_path']}" if row["request_path"] else PATHS.get(row["dialect"], "")
    return base.rstrip("/") + path


def _timings(row: dict[str, Any]) -> dict[str, float]:
    """Return the phases in ms; what a request did without, or the log does not tell apart, is -1."""
    sent, headers, end = row["t_sent_ns"], row["t_headers_ns"], row["t_end_ns"]
    if sent is None:
        blocked = 0 if end is None else max(0, end - _began_ns(row)) / NS_PER_MS
        return {"blocked": blocked, **_connecting(row), "send": 0, "wait": 0, "receive": 0}
    answered = headers if headers is not None else end
    wait = 0 if answered is None else (answered - sent) / NS_PER_MS
    receive = 0 if end is None or headers is None else (end - headers) / NS_PER_MS
    return {"blocked": UNKNOWN, **_connecting(row), "send": 0, "wait": wait, "receive": receive}


def _connecting(row: dict[str, Any]) -> dict[str, float]:
    """Return the phases before the send, in ms: ``connect`` is all but the name's look-up and includes ``ssl``, as HAR has it."""
    total, dns, tls = row["connect_ms"], row["dns_ms"], row["tls_ms"]
    if total is None:
        return dict.fromkeys(("dns", "connect", "ssl"), UNKNOWN)
    return {
        "dns": UNKNOWN if dns is None else dns,
        "connect": max(total - (dns or 0), tls or 0),
        "ssl": UNKNOWN if tls is None else tls,
    }


def _origin(source: Source) -> datetime:
    """Return the calendar time of t = 0: by the clock anchor, else by the race's start, else the epoch."""
    (row,) = source.rows("SELECT mono_origin_ns, started_at FROM races")
    anchor = source.log.first(ClockAnchor)
    if anchor is not None and row["mono_origin_ns"] is not None:
        wall_ns = anchor.wall_ns - anchor.mono_ns + row["mono_origin_ns"]
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_ns / 1000)
    started: datetime | None = row["started_at"]
    return started.replace(tzinfo=UTC) if started else datetime(1970, 1, 1, tzinfo=UTC)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
