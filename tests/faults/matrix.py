"""Every kind of failure, made by a scripted server on a real socket and recorded by a real `racelog record`.

    python -m tests.faults.matrix          prints what the log, the views, SQL and the exit code say of each

The table is `FAULTY`; `tests.faults.test_matrix` holds `racelog` to it.
"""

import contextlib
import os
import resource
import select
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
import trustme

import racelog
from racelog.commands.page import race_page
from racelog.commands.page_lines import page_lines
from racelog.events import RequestEnd
from racelog.log.read.reader import open_log
from racelog.replay.race import RaceTracks, Replay
from racelog.views.race import race_view
from racelog_player.lines.narrator import Narrator
from tests.recorder.scripted import (
    DONE,
    FINISH,
    HEAD,
    Script,
    ScriptedServer,
    chunked,
    content,
    read_request,
    reset,
)

KEY = "planted-Zq7-planted"
"""The API key of every engine here; no server's echo of it may be seen again."""

NOBODY = "http://127.0.0.1:1/v1"
LIMIT_S = 60.0
WIDTH = 100
CELL = 72
"""As much of a line as a cell of the table shows."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to fail. ``server`` is what the engine does, ``road`` gives its URL where no script can; ``plan`` adds to the race,
    ``open_files`` is all that its processes may have.

    Expected are the ``end`` event's status, its error, a piece of its message, and the exit code of `racelog record`.
    """

    name: str
    server: Script | None
    error: str
    says: str
    status: str = "failed"
    exit_code: int = 5
    http_status: int | None = None
    plan: dict[str, Any] | None = None
    road: "Road | None" = None
    open_files: int | None = None


Road = Callable[[], contextlib.AbstractContextManager[str]]
"""Gives the URL of an engine that is no `Script`: one that is not there, or stands behind something."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was recorded of a case, and what each view says of it."""

    end: RequestEnd
    exit_code: int
    summary: str
    info: str
    play: str
    sql: tuple[str, str, int | None]
    everything: str


def sends(*pieces: bytes, then: Callable[[socket.socket], None] | None = None) -> Script:
    """Return a script that answers one request with ``pieces`` and then does something, or closes."""

    def script(connection: socket.socket, _number: int) -> None:
        if not read_request(connection):
            return
        connection.sendall(b"".join(pieces))
        (then or _farewell)(connection)

    return script


def _farewell(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    stay(connection)


def stay(connection: socket.socket) -> None:
    """Say nothing more, until the client leaves."""
    while connection.recv(65536):
        pass


def go_on(connection: socket.socket) -> None:
    """Send a token every few milliseconds, until the client leaves."""
    while not select.select([connection], [], [], 0.01)[0]:
        connection.sendall(chunked(content("a"), last=False))


def answers(status: str, body: bytes, *headers: bytes) -> Script:
    """Return a script that answers with a status and a body, which echoes the key."""
    said = body + b" for key " + KEY.encode()
    head = b"HTTP/1.1 " + status.encode() + b"\r\nContent-Length: %d\r\n" % len(said)
    return sends(head + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + said)


def at(url: str) -> Road:
    """Return a road to a fixed URL."""

    @contextlib.contextmanager
    def road() -> Iterator[str]:
        yield url

    return road


@contextlib.contextmanager
def full_queue() -> Iterator[str]:
    """Give the URL of a listener that accepts nobody and has no room for more to wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as waiting:
        for _ in range(4):
            sock = waiting.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@contextlib.contextmanager
def untrusted() -> Iterator[str]:
    """Give the URL of a TLS server whose certificate nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def shake_hands(connection: socket.socket, _number: int) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    with serving(shake_hands) as url:
        yield url.replace("http://", "https://")


@contextlib.contextmanager
def plain_behind_https() -> Iterator[str]:
    """Give an https URL behind which a server speaks plain HTTP."""

    def script(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with serving(script) as url:
        yield url.replace("http://", "https://")


@contextlib.contextmanager
def serving(script: Script) -> Iterator[str]:
    """Give the URL of a server that runs ``script``."""
    server = ScriptedServer(script)
    try:
        yield server.url
    finally:
        server.close()


closes_idle_connections = sends(HEAD, chunked(content("a"), FINISH, DONE))
"""Answers one request well, promises to keep the connection, and closes it."""


def fails_once(connection: socket.socket, number: int) -> None:
    """Answer 503 on the first connection, and well on the others."""
    (answers("503 Busy", b"warming up") if number == 0 else closes_idle_connections)(connection, number)


TOKEN = HEAD + chunked(content("a"), last=False)

FAULTY = (
    Case("name that does not resolve", None, "dns", "", road=at("http://gone.invalid/v1")),
    Case("nothing listens", None, "refused", "efused", road=at(NOBODY)),
    Case("no route", None, "connect", "unreachable", road=at("http://255.255.255.255/v1")),
    Case("full accept queue", None, "connect_timeout", "0.3 s", plan={"deadlines": {"connect": 0.3}}, road=full_queue),
    Case(
        "no open file left here", sends(then=stay), "client_limit", "", open_files=90,
        plan={"rate": 300, "requests": 150, "arrival": "constant", "deadlines": {"total": 1}},
    ),
    Case("certificate not trusted", None, "tls", "certificate", road=untrusted),
    Case("plain HTTP behind https", None, "tls", "wrong version number", road=plain_behind_https),
    Case("reset before the answer", sends(then=reset), "reset", "reset"),
    Case("reset after a token", sends(TOKEN, then=reset), "reset", "reset", http_status=200),
    Case("status 503", answers("503 Busy", b"overloaded"), "http", "HTTP 503: overloaded for key <removed>", http_status=503),
    Case(
        "status 429", answers("429 Slow", b"slow down", b"Retry-After: 7"), "http",
        "HTTP 429 (retry after 7 s): slow down", http_status=429,
    ),
    Case("status 401 that echoes the key", answers("401 No", b"bad key"), "http", "HTTP 401: bad key for key <removed>", http_status=401),
    Case(
        "a redirect", sends(b"HTTP/1.1 307 No\r\nLocation: /v2\r\nContent-Length: 0\r\n\r\n"), "http",
        "HTTP 307 (redirects to /v2, and a race follows no redirect)", http_status=307,
    ),
    Case(
        "no status line", sends(then=stay), "headers_timeout", "no status line within 0.3 s (deadlines.headers)",
        plan={"deadlines": {"headers": 0.3}},
    ),
    Case(
        "no token", sends(HEAD, then=stay), "first_token_timeout", "no token within 0.3 s (deadlines.first_token)",
        http_status=200, plan={"deadlines": {"first_token": 0.3}},
    ),
    Case(
        "pings but no token", sends(HEAD, chunked(b": ping\n\n", last=False), then=stay), "first_token_timeout",
        "no token within 0.3 s", http_status=200, plan={"deadlines": {"first_token": 0.3}},
    ),
    Case(
        "a token, then none", sends(TOKEN, then=stay), "stalled",
        "no token for 0.3 s (deadlines.between_tokens), after 1 token chunk",
        http_status=200, plan={"deadlines": {"between_tokens": 0.3}},
    ),
    Case(
        "tokens without end", sends(TOKEN, then=go_on), "timeout", "no end within 0.4 s (deadlines.total), after",
        http_status=200, plan={"deadlines": {"total": 0.4}},
    ),
    Case("no HTTP at all", sends(b"SSH-2.0-OpenSSH_9.6\r\n"), "malformed", "no valid HTTP response"),
    Case(
        "a web page", sends(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"), "malformed",
        "answered with text/html, not with an event stream: <html>", http_status=200,
    ),
    Case("an event that is no JSON", sends(TOKEN, chunked(b"data: {oops\n\n")), "malformed", "{oops", http_status=200),
    Case(
        "a line of 17 MB", sends(HEAD, chunked(b"data: " + b"x" * 17_000_000, last=False), then=stay), "malformed",
        "one event of the stream exceeds 16777216 bytes", http_status=200,
    ),
    Case(
        "an error event in a good stream", sends(TOKEN, chunked(b'data: {"error":{"message":"CUDA out of memory"}}\n\n')),
        "error_event", "CUDA out of memory", http_status=200,
    ),
    Case(
        "an error in the gateway's own shape", sends(TOKEN, chunked(b'data: {"choices":null,"error_type":"busy","error_message":"later"}\n\n')),
        "error_event", "later (busy)", http_status=200,
    ),
    Case(
        "a finish reason that is a failure", sends(TOKEN, chunked(b'data: {"choices":[{"delta":{},"finish_reason":"abort"}]}\n\n', DONE)),
        "error_event", "the answer ended with the finish reason 'abort'", http_status=200,
    ),
    Case(
        "events parted by one newline", sends(HEAD, chunked(content("a")[:-1], content("b")[:-1], last=False), then=stay), "malformed",
        "its events are parted by one newline alone", http_status=200,
    ),
    Case("an answer without text", sends(HEAD, chunked(FINISH, DONE)), "empty", "the answer ended (stop) without any text", http_status=200),
    Case(
        "an error line beside the events", sends(TOKEN, chunked(b'error: {"message":"slot failed"}\n\n', last=True)),
        "error_event", "slot failed", http_status=200,
    ),
    Case(
        "plain words beside the events", sends(TOKEN, chunked(b"Internal Server Error")), "truncated",
        "beside its events it said: Internal Server Error", http_status=200,
    ),
    Case("closed before the answer", sends(), "truncated", "closed", http_status=None),
    Case("body cut short", sends(TOKEN), "truncated", "closed before the response was complete", http_status=200),
    Case(
        "no finish reason, though [DONE]", sends(HEAD, chunked(content("a"), DONE)), "truncated",
        "after 1 token chunk without a finish reason", http_status=200,
    ),
    Case(
        "the race's time is up", sends(TOKEN, then=stay), "", "its time was up", status="cancelled", http_status=200,
        plan={"duration": 0.2, "grace": 0.2},
    ),
    Case("one 503, then answers", fails_once, "http", "HTTP 503: warming up", exit_code=0, http_status=503),
    Case("[DONE], then silence", sends(HEAD, chunked(content("a"), FINISH, DONE, last=False), then=stay), "", "", status="ok", exit_code=0, http_status=200),
    Case("the last blank line missing", sends(HEAD, chunked(content("a"), FINISH[:-2])), "", "", status="ok", exit_code=0, http_status=200),
    Case("no [DONE]", sends(HEAD, chunked(content("a"), FINISH)), "", "", status="ok", exit_code=0, http_status=200),
    Case("[DONE], then a reset", sends(HEAD, chunked(content("a"), FINISH, DONE, last=False), then=reset), "", "", status="ok", exit_code=0, http_status=200),
    Case("idle connections closed", closes_idle_connections, "", "", status="ok", exit_code=0, http_status=200),
)  # fmt: skip
"""All that an engine does wrong here, and below it what is no error."""


def seen(case: Case, folder: Path) -> Seen:
    """Record ``case`` into ``folder``, and return what the log and every view say of its first failure.

    Raises:
        AssertionError: nothing was recorded; the message has what racelog said.
    """
    with _road(case) as url:
        done = _record(case, url, folder)
    path = folder / "race.rlog"
    assert path.exists(), done.stderr
    log = open_log(path)
    ends = sorted(log.of(RequestEnd), key=lambda end: end.req)
    end = next((end for end in ends if end.error == case.error), ends[0])
    (row,) = (
        racelog.connect(path)
        .execute("SELECT status, error_kind, http_status FROM requests WHERE request_id = ?", [end.req])
        .fetchall()
    )
    replay = Replay(RaceTracks(log.events))
    replay.seek_end()
    return Seen(
        end=end,
        exit_code=done.returncode,
        summary=done.stdout,
        info="\n".join(click.unstyle(line) for line in page_lines(race_page(log), WIDTH)),
        play="\n".join(Narrator().lines(race_view(replay, streams=0))),
        sql=row,
        everything="\n".join([done.stdout, done.stderr, *(str(event) for event in log.events)]),
    )


def _road(case: Case) -> contextlib.AbstractContextManager[str]:
    """Return the way to a case's engine: its own road, or a server that runs its script."""
    if case.road is not None:
        return case.road()
    assert case.server is not None
    return serving(case.server)


def _record(case: Case, url: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run `racelog record` on a plan of two requests to ``url``."""
    plan = {
        "name": case.name, "requests": 2, "concurrency": 1, "countdown": 0, **(case.plan or {}),
        "engines": [{"name": "e", "url": url, "model": "m", "api_key_env": "MATRIX_KEY"}],
    }  # fmt: skip
    if "duration" in plan:
        del plan["requests"]
    if "rate" in plan:
        del plan["concurrency"]
    race = folder / "race.yaml"
    race.write_bytes(msgspec.json.encode(plan))
    command = [
        sys.executable, "-m", "racelog", "record", str(race), "--no-ui", "--no-preflight", "--no-calibrate",
        "-o", str(folder / "race.rlog"),
    ]  # fmt: skip
    files = case.open_files

    def limited() -> None:
        if files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    return subprocess.run(
        command, env={**os.environ, "MATRIX_KEY": KEY}, capture_output=True, text=True, check=False,
        timeout=LIMIT_S, preexec_fn=limited,
    )  # fmt: skip


def line_with(text: str, *wanted: str) -> str:
    """Return the first line of ``text`` with the first of ``wanted`` that is anywhere in it; a dash without one."""
    found = next((line for word in wanted for line in text.splitlines() if word in line), "-")
    return " ".join(found.split()).replace("|", "\\|")[:CELL]


def main() -> None:
    """Run every case and print the table, in Markdown: what the log, each view and the exit code say."""
    titles = ("the engine", "log: end", "its message", "record", "info", "play --plain", "SQL", "exit")
    click.echo(f"| {' | '.join(titles)} |")
    click.echo("|" + " --- |" * len(titles))
    for case in FAULTY:
        with tempfile.TemporaryDirectory() as folder:
            found = seen(case, Path(folder))
        end = found.end
        cells = (
            case.name,
            f"{end.status} {end.error}".strip(),
            line_with(end.message, ""),
            line_with(found.summary, f" x {end.error}", " e  "),
            line_with(found.info, "errors:", " requests: ", " request: "),
            line_with(found.play, " requests,", " e "),
            ", ".join(str(value) for value in found.sql if value not in (None, "")),
            str(found.exit_code),
        )
        click.echo(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
