"""The example package of plug-ins, installed and used as its README says, beside one that is broken in every group."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import racelog
from racelog.testing.races import Plan, ScriptedRace
from tests.installing import install_extras, install_package
from tests.recorder.scripted import HEAD, Script, ScriptedServer, chunked, read_request

Racelog = Callable[..., "subprocess.CompletedProcess[str]"]
GROUPS = ("commands", "dialects", "exports", "rules", "card_templates", "samplers", "plotters")
BROKEN = "".join(f"[racelog.{group}]\nbroken = broken_module:gone\n" for group in GROUPS)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def racelog_with(tmp_path_factory: pytest.TempPathFactory) -> Racelog:
    """Return what runs racelog where both packages are installed, in a home of its own."""
    folder = install_extras(tmp_path_factory.mktemp("installed"))
    install_package(folder, "broken", "raise RuntimeError('not today')", BROKEN, "0.9")
    home = tmp_path_factory.mktemp("home")
    environment = os.environ | {"PYTHONPATH": str(folder), "RACELOG_HOME": str(home)}

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "racelog", *map(str, arguments)],
            env=environment, cwd=home, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def race(racelog_with: Racelog, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the log of a race, recorded with both packages installed, and what was said meanwhile."""
    log = tmp_path_factory.mktemp("race") / "race.rlog"
    done = racelog_with("record", "--no-ui", "--no-calibrate", "--countdown", 0, "--requests", 8, "-o", log)
    assert done.returncode == 0, done.stderr
    return log, done.stderr


def test_the_sampler_s_readings_are_in_the_log(race: tuple[Path, str]) -> None:
    rows = racelog.connect(race[0]).execute(
        "select distinct process from host_samples where process like 'server:%' and rss_mib > 1 order by 1"
    )

    assert rows.fetchall() == [("server:llama.cpp",), ("server:vLLM",)]


def test_a_broken_sampler_is_named_once_and_the_race_goes_on(race: tuple[Path, str]) -> None:
    said = "no samples of broken: 'broken' of broken 0.9 (racelog.samplers, broken_module:gone) cannot be loaded: RuntimeError: not today"

    assert race[1].count(said) == 1
    assert racelog.connect(race[0]).execute("select count(*) from requests where status = 'ok' and phase = 'race'").fetchall() == [(16,)]  # fmt: skip


TOKENS = [
    {"index": 1, "token": {"id": 1, "text": " Paris", "logprob": -0.1, "special": False}, "generated_text": None, "details": None},
    {"index": 2, "token": {"id": 2, "text": ".", "logprob": -0.2, "special": False}, "generated_text": None, "details": None},
    {"index": 3, "token": {"id": 3, "text": "</s>", "logprob": -0.1, "special": True}, "generated_text": " Paris.",
     "details": {"finish_reason": "eos_token", "generated_tokens": 3, "seed": None, "input_length": 7}},
]  # fmt: skip


def tgi(asked: list[tuple[str, Any]], *events: Any) -> Script:
    """Return a script that is a server of Text Generation Inference with one model, and keeps what it is asked."""

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            head, _, body = request.partition(b"\r\n\r\n")
            asked.append((head.split()[1].decode(), json.loads(body) if body else None))
            if head.startswith(b"GET /info "):
                said = b'{"model_id":"parrot-7b","max_input_tokens":512}'
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
            else:
                stream = b"".join(b"data:" + json.dumps(event).encode() + b"\n\n" for event in events)
                connection.sendall(HEAD + chunked(stream))

    return script


def test_a_race_is_recorded_through_the_dialect(racelog_with: Racelog, tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []
    log = tmp_path / "tgi.rlog"
    with closing(ScriptedServer(tgi(asked, *TOKENS))) as server:
        engine = f"a=http://127.0.0.1:{server.port},dialect=tgi"
        done = racelog_with("record", "--engine", engine, "--no-ui", "--no-calibrate", "--countdown", 0, "--requests", 2, "-o", log)  # fmt: skip
    rows = racelog.connect(log).execute(
        "select model, dialect, requests.status, finish_reason, input_tokens, output_tokens, token_basis, chunks, response"
        " from requests join lanes using (race_id, lane_id)"
    )

    assert done.returncode == 0, done.stderr
    assert rows.fetchall() == [("parrot-7b", "tgi", "ok", "eos_token", 7, 3, "usage", 2, " Paris.")] * 2
    assert {path for path, _ in asked} == {"/info", "/generate_stream"}
    assert asked[-1][1]["parameters"] == {"max_new_tokens": 128, "details": True}


def test_what_the_dialect_s_server_says_is_wrong_is_told(racelog_with: Racelog, tmp_path: Path) -> None:
    with closing(
        ScriptedServer(tgi([], {"error": "Model is overloaded", "error_type": "overloaded"}))
    ) as server:
        engine = f"a=http://127.0.0.1:{server.port},dialect=tgi"
        done = racelog_with("record", "--engine", engine, "--no-ui", "-o", tmp_path / "no.rlog")

    assert done.returncode == 5
    assert "a: a first request to model 'parrot-7b' failed: error_event: Model is overloaded" in done.stderr


def test_the_command_prints_the_slowest_requests(race: tuple[Path, str], racelog_with: Racelog) -> None:
    done = racelog_with("slowest", race[0], "-n", 3)

    assert (done.returncode, len(done.stdout.splitlines())) == (0, 3)


def test_the_export_is_a_test_for_each_request(
    race: tuple[Path, str], racelog_with: Racelog, tmp_path: Path
) -> None:
    done = racelog_with("export", race[0], "-f", "junit", "-o", tmp_path)

    assert done.returncode == 0, done.stderr
    suites = ET.parse(done.stdout.strip()).getroot()
    assert [(suite.get("name"), len(suite)) for suite in suites] == [("llama.cpp", 8), ("vLLM", 8)]


def test_the_card_is_drawn_by_the_template(
    race: tuple[Path, str], racelog_with: Racelog, tmp_path: Path
) -> None:
    pictures = []
    for template in ("plain", "standard"):
        done = racelog_with("card", race[0], "--template", template, "-o", tmp_path / f"{template}.png")
        assert done.returncode == 0, done.stderr
        pictures.append((tmp_path / f"{template}.png").read_bytes())

    assert [picture[:4] for picture in pictures] == [b"\x89PNG"] * 2
    assert pictures[0] != pictures[1]


SAID = "a: request 9 waits 1.00 s for its first token, usually 100 ms"


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a race of which the rule has something to say."""
    race = ScriptedRace([Plan("a", requests=12, slow=(9,))])
    return race.write_file(tmp_path_factory.mktemp("slow") / "slow.rlog")


def test_the_rule_s_comments_are_in_sql_and_the_broken_rule_is_named(
    racelog_with: Racelog, slow: Path
) -> None:
    done = racelog_with(
        "sql", "--no-cache", "-f", "csv", "select text from commentary where key = 'first-slow'", slow
    )

    assert done.stdout.splitlines()[1:] == [f'"{SAID}"']
    assert done.stderr == (
        "racelog: 'broken' of broken 0.9 (racelog.rules, broken_module:gone) cannot be loaded: RuntimeError: not today; it is left out\n"
    )


def test_the_rule_s_comments_are_on_the_screen(racelog_with: Racelog, slow: Path, tmp_path: Path) -> None:
    screen = tmp_path / "screen.txt"
    racelog_with("play", slow, "--at", "3.5s", "--snapshot", screen, "--size", "160x50")

    assert SAID in screen.read_text(encoding="utf-8")


def test_the_rule_s_comments_are_exported(racelog_with: Racelog, slow: Path, tmp_path: Path) -> None:
    racelog_with("export", slow, "-f", "json", "-o", tmp_path)

    (file,) = tmp_path.glob("*.json")
    comments = json.loads(file.read_bytes())["tables"]["commentary"]
    assert [row["text"] for row in comments if row["key"] == "first-slow"] == [SAID]


@pytest.mark.parametrize(
    "arguments",
    [["export", "-f", "broken"], ["card", "--template", "broken"], ["broken"]],
    ids=lambda arguments: arguments[0],
)
def test_what_is_broken_and_asked_for_by_name_is_one_line_and_exit_1(
    race: tuple[Path, str], racelog_with: Racelog, arguments: list[str]
) -> None:
    done = racelog_with(arguments[0], *([] if arguments == ["broken"] else [race[0]]), *arguments[1:])

    assert (done.returncode, done.stdout) == (1, "")
    assert "'broken' of broken 0.9" in done.stderr
    assert "not today" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_lists_what_is_added_and_names_what_is_broken(racelog_with: Racelog) -> None:
    shown = racelog_with("--help").stdout

    assert "The requests with the longest TTFT." in shown
    assert "(unavailable: not today)" in shown
