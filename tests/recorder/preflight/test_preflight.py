"""What is found out before the countdown: a clear word for each engine that cannot be raced, remarks for the odd ones."""

import contextlib
import gzip
import json
import re
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
import trustme

from racelog.errors import EngineError
from racelog.log.read.reader import open_log
from racelog.testing.races import Plan, ScriptedRace
from racelog_recorder.cli.session import _checked
from racelog_recorder.plan.model import EnginePlan, RacePlan
from racelog_recorder.preflight.preflight import Checked, check_engines
from racelog_recorder.preflight.probe import PROBE_PROMPT
from racelog_recorder.serve.server import serve_lanes
from racelog_recorder.transports.pump.tls import TlsFiles
from racelog_recorder.transports.reach import Reach
from tests.recorder.scripted import read_request

SAMPLES = Path(__file__).parents[1] / "samples"
CONTENT = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'
STREAM = CONTENT + FINISH + USAGE


def plan_of(*engines: EnginePlan, **fields: Any) -> RacePlan:
    return RacePlan(engines=engines, prompts=([{"role": "user", "content": "hi"}],), **fields)


def checked(engine: EnginePlan, key: str = "", **fields: Any) -> Checked:
    (found,) = trio.run(check_engines, plan_of(engine, **fields), {engine.name: key} if key else {})
    return found


def problem(engine: EnginePlan, key: str = "", **fields: Any) -> str:
    with pytest.raises(EngineError) as caught:
        checked(engine, key, **fields)
    first, *lines = str(caught.value).split("\n  ")
    assert first == "not every engine is ready:"
    return lines[0]


def models(*names: str) -> bytes:
    return json.dumps({"data": [{"id": name} for name in names]}).encode()


class Engine:
    """A scripted engine: what it lists, what it answers, and the bodies it was asked with."""

    def __init__(self, start: Callable[..., Any], wire: Any) -> None:
        self._start = start
        self._wire = wire
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.url = ""

    def serve(
        self,
        listed: bytes,
        answer: Callable[[dict[str, Any]], tuple[int, str, bytes]],
        *,
        list_status: int = 200,
    ) -> "Engine":
        """Answer GETs with ``listed`` and POSTs with what ``answer`` gives: status, content type, body."""

        def script(connection: socket.socket, _number: int) -> None:
            while request := self._wire.read_request(connection):
                head, _, body = request.partition(b"\r\n\r\n")
                self.paths.append(head.split()[1].decode())
                reply = (list_status, "application/json", listed)
                if head.startswith(b"POST"):
                    self.bodies.append(json.loads(body))
                    reply = answer(self.bodies[-1])
                status, kind, content = reply
                connection.sendall(
                    f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
                    + content
                )

        self.url = self._start(script).url
        return self


@pytest.fixture
def engine(scripted: Any, wire: Any) -> Engine:
    return Engine(scripted, wire)


def streams(
    body: bytes = STREAM, kind: str = "text/event-stream"
) -> Callable[[dict[str, Any]], tuple[int, str, bytes]]:
    return lambda _asked: (200, kind, body)


def compressed(encoding: str, body: bytes) -> Callable[[socket.socket, int], None]:
    """Return a script whose model list is plain and whose stream is ``body``, said to be in ``encoding``."""

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            kind, content, told = "application/json", models("x"), ""
            if request.startswith(b"POST"):
                kind, content, told = "text/event-stream", body, f"Content-Encoding: {encoding}\r\n"
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{told}\r\n"
            connection.sendall(head.encode() + content)

    return script


def test_an_engine_that_compresses_what_was_asked_for_plain_is_ready(scripted: Any) -> None:
    server = scripted(compressed("gzip", gzip.compress(STREAM)))

    assert checked(EnginePlan(name="a", url=server.url)) == Checked("x")


def test_an_encoding_that_the_race_could_not_undo_is_named(scripted: Any) -> None:
    server = scripted(compressed("br", b"?????"))

    assert "content-encoding 'br', which was not asked for" in problem(EnginePlan(name="a", url=server.url))


def fails(status: int, body: bytes = b"no") -> Callable[[dict[str, Any]], tuple[int, str, bytes]]:
    return lambda _asked: (status, "text/plain", body)


def test_a_recording_served_again_passes_with_its_own_model(tmp_path: Path) -> None:
    log = open_log(ScriptedRace([Plan("a", ttft_ms=2, gap_ms=1)]).write_file(tmp_path / "race.rlog"))

    async def main() -> list[Checked]:
        async with trio.open_nursery() as nursery:
            (lane,) = await nursery.start(partial(serve_lanes, log))
            found = await check_engines(plan_of(EnginePlan(name="a", url=lane.url)), {})
            nursery.cancel_scope.cancel()
        return found

    assert trio.run(main) == [Checked("m")]


def test_the_first_model_listed_is_asked_for(engine: Engine) -> None:
    engine.serve(models("x", "y"), streams())

    assert checked(EnginePlan(name="a", url=engine.url)) == Checked("x")
    assert engine.bodies[0]["model"] == "x"


def test_the_probe_is_a_short_answer_with_the_races_own_parameters(engine: Engine) -> None:
    engine.serve(models("x"), streams())
    checked(EnginePlan(name="a", url=engine.url, params={"top_p": 1}))

    assert engine.bodies == [
        {
            "model": "x", "messages": PROBE_PROMPT, "stream": True, "stream_options": {"include_usage": True},
            "max_tokens": 4, "temperature": 0.0, "top_p": 1,
        }
    ]  # fmt: skip


def test_without_a_probe_only_the_models_are_asked_for(engine: Engine) -> None:
    engine.serve(models("x"), fails(500))
    found = trio.run(partial(check_engines, plan_of(EnginePlan(name="a", url=engine.url)), {}, probe=False))

    assert (found, engine.bodies) == ([Checked("x")], [])


def test_nothing_listening_is_told_with_the_next_step() -> None:
    said = problem(EnginePlan(name="a", url="http://127.0.0.1:1/v1"))

    assert said.startswith("a: nothing answers at http://127.0.0.1:1/v1 (refused: ")
    assert said.endswith("); is the server running?")


def test_a_name_that_does_not_resolve_is_told_apart() -> None:
    assert problem(EnginePlan(name="a", url="http://gone.invalid/v1")).endswith("check the host's name")


def test_every_engine_that_is_not_ready_has_its_line(engine: Engine) -> None:
    engine.serve(models("x"), streams())
    plan = plan_of(
        EnginePlan(name="a", url="http://127.0.0.1:1/v1"),
        EnginePlan(name="b", url=engine.url),
        EnginePlan(name="c", url="http://127.0.0.1:1/v1"),
    )
    with pytest.raises(EngineError) as caught:
        trio.run(check_engines, plan, {})

    assert [line.split(":")[0] for line in str(caught.value).split("\n  ")[1:]] == ["a", "c"]


def test_a_model_that_is_not_there_is_named_with_those_that_are(engine: Engine) -> None:
    engine.serve(models("llama-3.2-3b", "qwen-7b"), fails(404, b'{"error":"no such model"}'))

    assert problem(EnginePlan(name="a", url=engine.url, model="lama-3.2-3b")) == (
        "a: it has no model 'lama-3.2-3b' (HTTP 404: no such model); did you mean 'llama-3.2-3b'? "
        "It has llama-3.2-3b, qwen-7b"
    )


def test_a_long_list_of_models_is_cut(engine: Engine) -> None:
    engine.serve(models(*(f"m{number}" for number in range(20))), fails(400))

    assert problem(EnginePlan(name="a", url=engine.url, model="zzz")).endswith("m6, m7 and 12 more")


def test_a_model_that_is_not_listed_but_answers_is_raced_with_a_remark(engine: Engine) -> None:
    engine.serve(models("x"), streams())

    assert checked(EnginePlan(name="a", url=engine.url, model="lora")) == Checked(
        "lora", "a does not list model 'lora', only x, but answers to it"
    )


def test_an_engine_with_an_empty_list_races_the_model_that_is_named(engine: Engine) -> None:
    listed = (SAMPLES / "transformers-serve.models.json").read_bytes()
    engine.serve(listed, streams((SAMPLES / "transformers-serve.sse").read_bytes()))

    assert checked(EnginePlan(name="a", url=engine.url, model="model/hf")) == Checked("model/hf")


def test_an_engine_with_an_empty_list_and_no_model_named_is_not_raced(engine: Engine) -> None:
    engine.serve((SAMPLES / "transformers-serve.models.json").read_bytes(), streams())

    assert problem(EnginePlan(name="a", url=engine.url)).endswith(
        "names no model (HTTP 200); say which with model="
    )


def test_a_base_url_without_models_is_doubted(engine: Engine) -> None:
    engine.serve(b"not found", fails(404), list_status=404)

    assert "has no /models (HTTP 404); is the base URL right? It usually ends in /v1" in problem(
        EnginePlan(name="a", url=engine.url)
    )
    assert "nothing at" in problem(EnginePlan(name="a", url=engine.url, model="x"))


@pytest.mark.parametrize("where", ["list", "answer"])
def test_a_refused_key_names_the_field_to_set_or_the_one_that_is(engine: Engine, where: str) -> None:
    engine.serve(models("x"), fails(401), list_status=401 if where == "list" else 200)

    assert problem(EnginePlan(name="a", url=engine.url)).endswith(
        "asks for a key (HTTP 401); name the environment variable that holds it with api_key_env, as in "
        "--engine a=URL,api_key_env=VARIABLE"
    )
    assert problem(EnginePlan(name="a", url=engine.url, api_key_env="MINE")).endswith(
        "refuses the key in MINE (HTTP 401); is it this server's, and still valid?"
    )


@pytest.mark.parametrize("status", [400, 422])
def test_an_engine_that_refuses_stream_options_is_raced_without(engine: Engine, status: int) -> None:
    def answer(asked: dict[str, Any]) -> tuple[int, str, bytes]:
        refused = "stream_options" in asked
        return (
            (status, "application/json", b"unknown field")
            if refused
            else (200, "text/event-stream", CONTENT + FINISH)
        )

    engine.serve(models("x"), answer)

    assert checked(EnginePlan(name="a", url=engine.url)) == Checked(
        "x",
        "a refuses stream_options; it is raced without, and tokens are counted in chunks",
        ask_usage=False,
    )
    assert ["stream_options" in body for body in engine.bodies] == [True, False]


def test_a_parameter_that_the_engine_refuses_is_told_in_its_words(engine: Engine) -> None:
    engine.serve(models("x"), fails(400, b"top_kk is unknown"))

    assert problem(EnginePlan(name="a", url=engine.url)) == (
        "a: a first request to model 'x' failed: HTTP 400: top_kk is unknown; --no-preflight races it all the same"
    )


def test_an_engine_that_sends_no_usage_is_raced_with_a_remark(engine: Engine) -> None:
    engine.serve(models("x"), streams((SAMPLES / "llama-cpp-python.sse").read_bytes()))

    assert checked(EnginePlan(name="a", url=engine.url)) == Checked(
        "x", "a sends no usage; tokens are counted in chunks"
    )


def test_an_answer_in_one_piece_is_no_stream(engine: Engine) -> None:
    engine.serve(models("x"), streams(b'{"choices":[]}', "application/json"))

    assert problem(EnginePlan(name="a", url=engine.url)).startswith(
        "a: its answer is not a stream of the dialect openai-chat (answered with application/json, not with an event stream: "
    )


def test_a_stream_that_is_cut_is_told_by_its_kind(engine: Engine) -> None:
    engine.serve(models("x"), streams(CONTENT))

    assert "failed: truncated: the stream ended after 1 token chunk without a finish reason" in problem(
        EnginePlan(name="a", url=engine.url)
    )


@pytest.mark.parametrize(
    ("answer", "deadlines", "told"),
    [
        (b"", {"headers": 0.2}, "headers_timeout: no status line within 0.2 s (deadlines.headers)"),
        (b"", {"headers": 0.2, "first_token": 0.1}, "headers_timeout: no status line within 0.2 s (deadlines.headers)"),
        (b"HEAD", {"first_token": 0.2}, "first_token_timeout: no token within 0.2 s (deadlines.first_token)"),
        (b"HEAD", {"total": 0.2}, "timeout: no end within 0.2 s (deadlines.total), after 0 token chunks"),
    ],
    ids=["headers", "headers-alone", "first-token", "total"],
)  # fmt: skip
def test_an_engine_that_never_answers_is_given_up_after_the_races_own_deadline(
    scripted: Any, wire: Any, answer: bytes, deadlines: dict[str, float], told: str
) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        if wire.read_request(connection).startswith(b"GET"):
            listed = models("x")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(listed), listed))
            wire.read_request(connection)
        connection.sendall(answer.replace(b"HEAD", wire.HEAD))
        connection.recv(1)

    engine = EnginePlan(name="a", url=scripted(script).url, deadlines=deadlines)

    assert f"failed: {told}; " in problem(engine)


def test_an_ollama_server_is_asked_in_its_own_dialect(engine: Engine) -> None:
    body = (SAMPLES / "ollama.ndjson").read_bytes()
    engine.serve(b'{"models":[{"name":"llama3.2:latest"}]}', streams(body, "application/x-ndjson"))
    plan = EnginePlan(name="a", url=engine.url.removesuffix("/v1"), dialect="ollama", model="llama3.2")

    assert checked(plan) == Checked("llama3.2")
    assert engine.paths == ["/api/tags", "/api/chat"]
    assert engine.bodies[0]["options"] == {"num_predict": 4, "temperature": 0.0}


def test_a_hostile_answer_commands_no_terminal_and_shows_no_key(engine: Engine) -> None:
    engine.serve(models("x"), fails(500, b"\x1b[31mkey planted-key-planted"))
    said = problem(EnginePlan(name="a", url=engine.url), "planted-key-planted")

    assert "\x1b" not in said
    assert "planted" not in said


def test_a_wait_for_an_engine_that_takes_long_is_told(
    scripted: Any, wire: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.recv(1)

    plan = plan_of(EnginePlan(name="a", url=scripted(script).url))
    clock = trio.testing.MockClock(autojump_threshold=0.3)
    with pytest.RaisesGroup(EngineError):
        trio.run(partial(_checked, plan, {}, ask=True, probe=True), clock=clock)

    assert capfd.readouterr().err == "asking a for a first answer each\n"


def test_a_unix_socket_where_nobody_listens_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.sock")
    engine = EnginePlan(name="a", url="http://localhost/v1", reach=Reach(unix_socket=missing))

    assert problem(engine).startswith(f"a: nothing answers at {missing} (connect: ")


def test_a_server_that_hangs_up_at_once_may_be_asked_in_the_wrong_scheme(scripted: Any) -> None:
    url = scripted(lambda connection, _number: connection.close()).url

    assert problem(EnginePlan(name="a", url=url)).endswith("is the URL's http or https right?")


def test_a_server_that_wants_a_certificate_says_so_and_how_to_give_one(scripted: Any, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED

    def script(connection: socket.socket, _number: int) -> None:
        still_open = connection.dup()  # so that its alert arrives before its end
        with contextlib.suppress(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)
        with still_open:
            while still_open.recv(65536):
                pass

    url = scripted(script).url.replace("http://", "https://")
    engine = EnginePlan(name="a", url=url, reach=Reach(tls=TlsFiles(ca=str(tmp_path / "ca.pem"))))

    openssls_words = r"[^()]+"
    assert re.fullmatch(
        re.escape(f"a: nothing answers at {url} (tls: ")
        + openssls_words
        + re.escape("); it asks for a certificate of yours; give tls: {cert: FILE, key: FILE}"),
        problem(engine),
    )
