"""A dialect nobody ever spoke, added by one module and one entry: a race is recorded through it, its key nowhere told."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import racelog
from racelog.events import EngineSamples, LaneFacts
from tests.installing import Install, install_package
from tests.recorder.scripted import read_request

KEY = "zebra-and-lion-71"
SIGNED = KEY[::-1]

MODULE = """
import json
from racelog_recorder.dialects.api import Dialect, Failed, Message, NDJSONParser, TokenUsage, prompt_of

def body(model, messages, params, *, ask_usage=True):
    return {"who": model, "say": prompt_of(messages), "most": params.get("max_tokens")}

def parse(payload):
    said = json.loads(payload)
    if "oh" in said:
        return Failed(said["oh"])
    if "end" in said:
        return Message("m", finish_reason=said["end"], usage=TokenUsage(4, said["words"]), done=True)
    return Message("c", said["word"])

MADE_UP = Dialect(
    name="made-up", path="say/it", body=body, parse=parse, framing=NDJSONParser, stream_type="text/x-words", end=b"over",
    auth=lambda key: {"x-signed": "by " + key[::-1]}, models_path="who", listed=lambda content: content.decode().split(),
    metrics_path="numbers", base_endings=("/talk",),
)
"""
ENTRY = "[racelog.dialects]\nmade-up = acme_module:MADE_UP\n"

WORDS = [{"word": "Good "}, {"word": f"morning by {SIGNED} "}, {"word": "you."}]
LAST = [{"end": "said", "words": 3}]


def speaking(seen: list[tuple[str, bytes]], *lines: Any) -> Callable[[socket.socket, int], None]:
    """Return a script that speaks the dialect and keeps each request's first line with its head."""

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            line = request.partition(b"\r\n")[0].decode().rpartition(" ")[0]
            seen.append((line, request))
            kind, body = {
                "GET /talk/who": ("text/plain", b"parrot owl"),
                "GET /numbers": ("text/plain", b"vllm:num_requests_running 2\n"),
                "POST /talk/say/it": ("text/x-words", b"".join(json.dumps(said).encode() + b"\n" for said in lines)),
            }.get(line, ("text/plain", b""))  # fmt: skip
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    return script


def record(
    tmp_path: Path, url: str, *flags: str, name: str = "made-up"
) -> "subprocess.CompletedProcess[str]":
    """Record a short race through the installed dialect, with its key in the environment."""
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "installed"), "ACME_KEY": KEY}
    return subprocess.run(
        [
            sys.executable, "-m", "racelog", "record", "--engine", f"a={url},dialect={name},api_key_env=ACME_KEY", "--no-ui",
            "--no-calibrate", "--countdown", "0", "--requests", "3", "-o", str(tmp_path / "race.rlog"), *flags,
        ],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_race_is_recorded_through_a_dialect_of_one_module_and_one_entry(
    tmp_path: Path, scripted: Any
) -> None:
    seen: list[tuple[str, bytes]] = []
    install_package(tmp_path / "installed", "acme", MODULE, ENTRY)
    server = scripted(speaking(seen, *WORDS, *LAST))
    done = record(tmp_path, server.url.replace("/v1", "/talk"), "--metrics")
    log = racelog.open(tmp_path / "race.rlog")
    written = b"".join(msgspec.json.encode(event) for event in log.events)

    assert done.returncode == 0, done.stderr
    rows = racelog.connect(tmp_path / "race.rlog").execute(
        "select model, dialect, request_path, requests.status, finish_reason, input_tokens, output_tokens, token_basis, response"
        " from requests join lanes using (race_id, lane_id) where phase = 'race'"
    )
    text = "Good morning by <removed> you."
    assert rows.fetchall() == [("parrot", "made-up", "say/it", "ok", "said", 4, 3, "usage", text)] * 3
    asked = {line for line, _ in seen}
    assert asked == {"GET /talk/who", "POST /talk/say/it", "GET /numbers"}
    assert all(f"x-signed: by {SIGNED}\r\n".encode() in request for _, request in seen)
    assert [facts.path for facts in log.of(LaneFacts)] == ["say/it"]
    assert {running for samples in log.of(EngineSamples) for running in samples.running} == {2.0}
    for secret in (KEY, SIGNED):
        assert secret not in written.decode()
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([*WORDS, {"oh": f"no, {SIGNED}"}], "a: a first request to model 'parrot' failed: error_event: no, <removed>"),
        ([{"wort": 1}], "a: its answer is not a stream of the dialect made-up (the dialect made-up fails on a message: KeyError: 'word')"),
    ],
    ids=["an error of the server", "a mistake of the dialect"],
)  # fmt: skip
def test_what_fails_is_told_of_the_engine_and_the_key_is_not(
    tmp_path: Path, scripted: Any, lines: list[Any], told: str
) -> None:
    install_package(tmp_path / "installed", "acme", MODULE, ENTRY)
    done = record(tmp_path, scripted(speaking([], *lines)).url.replace("/v1", "/talk"))

    assert done.returncode == 5
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert KEY not in done.stderr
    assert SIGNED not in done.stderr


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("1 / 0", "cannot be loaded: ZeroDivisionError: division by zero"),
        ("MADE_UP = 5", "cannot be used: it is int, not a racelog_recorder.dialects.api.Dialect"),
    ],
)
def test_a_broken_dialect_that_was_asked_for_is_named(tmp_path: Path, code: str, why: str) -> None:
    install_package(tmp_path / "installed", "acme", code, ENTRY)
    done = record(tmp_path, "http://127.0.0.1:9/talk")

    assert done.returncode == 2
    assert f"dialect: 'made-up' of acme 1.0 (racelog.dialects, acme_module:MADE_UP) {why}" in done.stderr


def test_help_and_errors_list_it(tmp_path: Path) -> None:
    install_package(tmp_path / "installed", "acme", MODULE, ENTRY)
    shown = " ".join(record(tmp_path, "", "--help").stdout.split())
    refused = record(tmp_path, "http://127.0.0.1:9/v1", name="mad-up").stderr

    assert "D is how the engine is spoken to: openai-chat, openai-completions, ollama, made-up." in shown
    assert (
        "'mad-up' is not a dialect; give one of openai-chat, openai-completions, ollama, made-up" in refused
    )


def test_a_broken_one_is_told_and_left_out_of_the_list(tmp_path: Path) -> None:
    install_package(tmp_path / "installed", "acme", "1 / 0", ENTRY)
    refused = record(tmp_path, "http://127.0.0.1:9/v1", name="mad-up").stderr

    assert "give one of openai-chat, openai-completions, ollama\n" in refused
    assert refused.count("cannot be loaded: ZeroDivisionError: division by zero; it is left out") == 1


def test_a_package_cannot_take_the_name_of_one_of_ours(install: Install) -> None:
    from racelog_recorder.dialects.ollama import OLLAMA  # noqa: PLC0415 - beside what it is compared with
    from racelog_recorder.dialects.registry import DIALECTS  # noqa: PLC0415

    install("acme", MODULE, "[racelog.dialects]\nollama = acme_module:MADE_UP\n")

    assert DIALECTS["ollama"] is OLLAMA
    assert list(DIALECTS) == ["openai-chat", "openai-completions", "ollama"]
