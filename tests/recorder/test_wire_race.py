"""Streams as real servers send them, raced by a real `racelog record` with its preflight: SQL and info say what they should."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

import racelog
from tests.faults.matrix import stay
from tests.recorder.scripted import (
    DONE,
    FINISH,
    HEAD,
    Script,
    ScriptedServer,
    chunked,
    content,
    event,
    read_request,
)

TICK_S = 0.005


def delta(**fields: Any) -> bytes:
    return event(json.dumps({"choices": [{"delta": fields}]}))


def usage(**counts: Any) -> bytes:
    return event(json.dumps({"choices": [], "usage": counts}))


def paced(*pieces: bytes, then: Callable[[socket.socket], None] | None = None) -> Script:
    """Return a script that answers every request with ``pieces``, each a moment after the one before."""

    def script(connection: socket.socket, _number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while read_request(connection):
            connection.sendall(HEAD)
            for piece in pieces:
                threading.Event().wait(TICK_S)
                connection.sendall(chunked(piece, last=False))
            if then is not None:
                then(connection)
                return
            connection.sendall(b"0\r\n\r\n")

    return script


TWENTY = [content("word ")] * 20
HIDDEN = {"reasoning_tokens": 500}

ENGINES: dict[str, Script] = {
    "kept-open": paced(*TWENTY, FINISH, usage(prompt_tokens=5, completion_tokens=20), DONE, then=stay),
    "hidden": paced(
        *TWENTY, FINISH, usage(prompt_tokens=5, completion_tokens=520, total_tokens=525, completion_tokens_details=HIDDEN), DONE
    ),
    "left-out": paced(
        *TWENTY, FINISH, usage(prompt_tokens=5, completion_tokens=20, total_tokens=525, completion_tokens_details=HIDDEN), DONE
    ),
    "zeros": paced(*TWENTY, FINISH, usage(prompt_tokens=0, completion_tokens=0), DONE),
    "one-chunk": paced(content("word " * 64), FINISH, usage(prompt_tokens=5, completion_tokens=64), DONE),
    "one-write": paced(b"".join([*TWENTY, FINISH, usage(prompt_tokens=5, completion_tokens=20), DONE])),
    "both-kinds": paced(delta(reasoning_content="hm", content="a"), content("b"), FINISH, DONE),
    "odd-types": paced(delta(content=[{"type": "text", "text": "a"}]), delta(content=1), FINISH, DONE),
    "refusal": paced(delta(role="assistant"), delta(refusal="No."), delta(refusal=" Never."), FINISH[:-1]),
    "halves": paced(delta(content="a"), delta(content="\ud83d"), delta(content="\ude00"), FINISH, DONE),
}  # fmt: skip


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the log of a race of every engine, two requests each."""
    folder = tmp_path_factory.mktemp("race")
    servers = {name: ScriptedServer(script) for name, script in ENGINES.items()}
    engines = [{"name": name, "url": server.url, "model": "m"} for name, server in servers.items()]
    plan = {"requests": 2, "concurrency": 1, "countdown": 0, "engines": engines}
    (folder / "race.yaml").write_text(json.dumps(plan), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "racelog",
        "record",
        str(folder / "race.yaml"),
        "--no-ui",
        "--no-calibrate",
    ]
    done = subprocess.run(
        [*command, "-o", str(folder / "race.rlog")], capture_output=True, text=True, check=False, timeout=100
    )
    for server in servers.values():
        server.close()
    assert done.returncode == 0, done.stderr
    return folder / "race.rlog"


@pytest.fixture
def races(log: Path) -> duckdb.DuckDBPyConnection:
    return racelog.connect(log)


def rows(races: duckdb.DuckDBPyConnection, engine: str, columns: str) -> list[tuple[Any, ...]]:
    """Return the different values of ``columns`` over an engine's requests."""
    return races.execute(
        f"SELECT DISTINCT {columns} FROM requests JOIN lanes USING (race_id, lane_id) WHERE engine = ?",
        [engine],
    ).fetchall()


def test_every_engine_answered_both_of_its_requests(races: duckdb.DuckDBPyConnection) -> None:
    found = races.execute(
        "SELECT engine, count(*) FROM requests JOIN lanes USING (race_id, lane_id) WHERE requests.status = 'ok' GROUP BY 1"
    )

    assert dict(found.fetchall()) == dict.fromkeys(ENGINES, 2)


PACE = "tpot_ms = (t_last_token_ns - t_first_token_ns) / 19 / 1e6"
"""That TPOT is the pace of the twenty chunks that came."""


@pytest.mark.parametrize(
    ("engine", "tokens"),
    [
        ("kept-open", (20, "usage", None, None)), ("hidden", (520, "usage", 500, 525)), ("left-out", (520, "usage", 500, 525)),
        ("zeros", (20, "chunks", None, None)),
    ],
)  # fmt: skip
def test_tokens_are_those_generated_and_tpot_is_the_pace_of_those_that_came(
    races: duckdb.DuckDBPyConnection, engine: str, tokens: tuple[Any, ...]
) -> None:
    found = rows(
        races, engine, f"output_tokens, token_basis, reasoning_tokens, total_tokens, {PACE}, one_piece"
    )

    assert found == [(*tokens, True, False)]


@pytest.mark.parametrize(("engine", "tokens"), [("one-chunk", 64), ("one-write", 20)])
def test_an_answer_in_one_piece_has_no_pace(
    races: duckdb.DuckDBPyConnection, engine: str, tokens: int
) -> None:
    assert rows(races, engine, "output_tokens, tpot_ms, one_piece") == [(tokens, None, True)]


@pytest.mark.parametrize(
    ("engine", "response", "chunks"),
    [
        ("both-kinds", "hmab", 3),
        ("odd-types", "a1", 2),
        ("refusal", "No. Never.", 2),
        ("halves", "a\U0001f600", 2),
    ],
)
def test_no_text_is_lost(races: duckdb.DuckDBPyConnection, engine: str, response: str, chunks: int) -> None:
    assert rows(races, engine, "response, chunks") == [(response, chunks)]


def test_info_tells_of_answers_in_one_piece(log: Path, races: duckdb.DuckDBPyConnection) -> None:
    info = subprocess.run(
        [sys.executable, "-m", "racelog", "info", str(log)], capture_output=True, text=True, check=True
    ).stdout
    (lanes,) = races.execute("SELECT count(DISTINCT lane_id) FROM requests WHERE one_piece").fetchall()

    assert (info.count("came in one piece, without TPOT and ITL"),) == lanes
