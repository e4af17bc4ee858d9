"""Served lanes over real sockets: the recording's words, never earlier than recorded, and hard to upset."""

import json
import sys
import time
from contextlib import suppress
from typing import Any

import httpx2
import msgspec
import pytest
import trio
import trio.testing

from racelog.errors import InputError
from racelog.events import RequestEnd, Tokens
from racelog.testing.races import Plan
from racelog_recorder.serve.answers import recorded_lanes
from racelog_recorder.serve.http import MAX_BODY_BYTES, MAX_HEADER_BYTES, serve_connection
from racelog_recorder.serve.pacer import SleepPacer, open_pacer
from racelog_recorder.serve.server import bind_lanes, serve_lanes
from racelog_recorder.timing import timerfd

MS = 1_000_000
CHAT = "/chat/completions"


def chat(text="Name a colour.", **more):
    return {"model": "m", "messages": [{"role": "user", "content": text}], "stream": True, **more}


async def streamed(client, body):
    """Return the events of a streamed answer with their times since just before it was asked for."""
    asked_ns = time.monotonic_ns()
    async with client.stream("POST", CHAT, json=body) as response:
        assert response.status_code == 200
        return [
            (time.monotonic_ns() - asked_ns, json.loads(line[6:]))
            async for line in response.aiter_lines()
            if line.startswith("data: {")
        ]


def texts(events):
    return [event["choices"][0]["delta"]["content"] for _, event in events]


def request_bytes(body):
    """Return a chat request as bytes on the wire."""
    content = json.dumps(body).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (
            len(content),
            content,
        )
    )


async def raw(port, data):
    """Return everything the server says to ``data`` until it hangs up."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        await stream.send_all(data)
        return b"".join([part async for part in stream])


def run(test):
    """Run an async test; a server that hangs fails it."""

    async def main():
        with trio.fail_after(30):
            await test()

    trio.run(main)


def test_text_and_chunks_are_the_recordings(quick_log, serving):
    async def main():
        async with serving(quick_log) as (left, right):
            assert texts(await streamed(left, chat())) == [" w0", " w1", " w2", " w3", " w4"]
            assert texts(await streamed(right, chat())) == [" w0", " w1", " w2"]

    run(main)


@pytest.mark.parametrize("speed", [1.0, 100.0, 0.5])
def test_no_chunk_comes_earlier_than_it_was_recorded(quick_log, serving, speed):
    async def main():
        async with serving(quick_log, speed=speed) as (left, _):
            events = await streamed(left, chat())

            assert [at * speed >= (4 + i) * MS for i, (at, _) in enumerate(events)] == [True] * 5

    run(main)


def test_an_answer_of_an_hour_takes_seconds_at_a_thousand_times_the_speed(race_log, serving):
    async def main():
        log = race_log(Plan("a", ttft_ms=1_800_000, gap_ms=1_800_000, requests=1, tokens=2))
        async with serving(log, speed=1e6) as (client,):
            assert texts(await streamed(client, chat())) == [" w0", " w1"]

    run(main)


def test_prompts_out_of_order_get_their_own_answers(race_log, serving):
    def sign(event):
        if not isinstance(event, Tokens):
            return [event]
        return [msgspec.structs.replace(event, x=[f"answer {event.r[0]}"])]

    async def main():
        log = race_log(Plan("a", ttft_ms=1, requests=3, tokens=1), edit=sign)
        async with serving(log) as (client,):
            assert texts(await streamed(client, chat("Name a river."))) == ["answer 2"]
            assert texts(await streamed(client, chat("Name a colour."))) == ["answer 0"]

    run(main)


def test_many_requests_at_once_are_all_answered(quick_log, serving):
    async def main():
        answers = []

        async def ask(client):
            answers.append(texts(await streamed(client, chat())))

        async with serving(quick_log) as (left, _), trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask, left)

        assert answers == [[" w0", " w1", " w2", " w3", " w4"]] * 20

    run(main)


def test_usage_comes_when_it_is_asked_for(quick_log, serving):
    async def main():
        async with serving(quick_log) as (left, _):
            events = await streamed(left, chat(stream_options={"include_usage": True}))

            assert events[-1][1]["usage"] == {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}

    run(main)


def test_without_streaming_the_whole_answer_comes_at_its_end(quick_log, serving):
    async def main():
        async with serving(quick_log) as (left, _):
            asked_ns = time.monotonic_ns()
            response = await left.post(CHAT, json=chat(stream=False))

            assert time.monotonic_ns() - asked_ns >= 8 * MS
            assert response.json()["choices"][0]["message"]["content"] == " w0 w1 w2 w3 w4"

    run(main)


def test_a_recorded_http_error_is_given_again(quick_log, serving):
    async def main():
        async with serving(quick_log) as (_, right):
            response = await right.post(CHAT, json=chat("Name a river."))

            assert (response.status_code, response.json()["error"]["message"]) == (500, "HTTP 500")

    run(main)


def test_a_recorded_break_cuts_the_stream_again(race_log, serving):
    def broken(event):
        if isinstance(event, RequestEnd):
            return [msgspec.structs.replace(event, status="failed", error="disconnect")]
        return [event]

    async def main():
        async with serving(race_log(Plan("a", ttft_ms=1, requests=1), edit=broken)) as (client,):
            with pytest.raises(httpx2.RemoteProtocolError):
                await streamed(client, chat())

    run(main)


def test_the_model_is_listed_under_its_recorded_name(quick_log, serving):
    async def main():
        async with serving(quick_log) as (left, _):
            assert [model["id"] for model in (await left.get("/models")).json()["data"]] == ["m"]

    run(main)


def test_a_connection_is_kept_for_the_next_request(quick_log, serving):
    async def main():
        async with serving(quick_log) as (left, _):
            responses = [
                await left.get("/models"),
                await left.post(CHAT, json=chat()),
                await left.get("/models"),
            ]
            ports = {r.extensions["network_stream"].get_extra_info("client_addr") for r in responses}

            assert len(ports) == 1

    run(main)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (("GET", "/nothing", b""), (404, "nothing at /v1/nothing; there is GET /health, GET /v1/models, POST /v1/chat/completions")),
        (("GET", CHAT, b""), (405, "/v1/chat/completions takes POST, not GET")),
        (("POST", CHAT, b""), (400, "not a chat request: Input data was truncated")),
        (("POST", CHAT, b"{}"), (400, "not a chat request: Object missing required field `messages`")),
        (("POST", CHAT, b'{"messages": []}'), (400, "messages is empty; a chat needs at least one")),
        (("POST", CHAT, b"[" * 5000), (400, "not a chat request: Expected `object`, got `array`")),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_answered_says_why(quick_log, serving, call, answer):
    async def main():
        async with serving(quick_log) as (left, _):
            method, path, body = call
            kind = {"Content-Type": "application/json"}
            response = await left.request(method, path, content=body, headers=kind)

            assert (response.status_code, response.json()["error"]["message"]) == answer

    run(main)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"what is this\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * (2 * MAX_HEADER_BYTES), b"431"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: nine\r\n\r\n", b"400"),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 9)
            + b" " * (MAX_BODY_BYTES + 9),
            b"413",
        ),
    ],
    ids=["nonsense", "header too large", "bad length", "body too large"],
)
def test_malformed_http_gets_an_error_and_the_connection_ends(quick_log, serving, data, status):
    async def main():
        async with serving(quick_log) as (left, _):
            assert (await raw(left.base_url.port, data)).split()[1] == status

    run(main)


def test_head_is_answered_without_a_body(quick_log, serving):
    async def main():
        async with serving(quick_log) as (left, _):
            said = await raw(
                left.base_url.port,
                b"HEAD /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )

            assert said.startswith(b"HTTP/1.1 405")
            assert said.endswith(b"\r\n\r\n")

    run(main)


def test_a_client_that_leaves_in_the_middle_harms_nobody(race_log, serving):
    async def main():
        log = race_log(Plan("a", ttft_ms=1, gap_ms=1, requests=1, tokens=200))
        async with serving(log) as (client,):
            async with await trio.open_tcp_stream("127.0.0.1", client.base_url.port) as stream:
                await stream.send_all(request_bytes(chat()))
                await stream.receive_some()

            assert len(await streamed(client, chat())) == 200

    run(main)


def test_a_lane_whose_recording_holds_no_answer_says_so(race_log, serving):
    async def main():
        log = race_log(Plan("a"), edit=lambda event: [] if isinstance(event, RequestEnd) else [event])
        async with serving(log) as (client,):
            response = await client.post(CHAT, json=chat())

            assert (response.status_code, response.json()["error"]["type"]) == (503, "server_error")

    run(main)


async def bound_at_free_ports(lanes: Any) -> tuple[int, Any]:
    """Bind below the ports that the kernel gives to others' connections, trying on past those in use."""
    for port in range(20_000, 32_000, 10):
        with suppress(InputError):
            return port, await bind_lanes(lanes, "127.0.0.1", port)
    raise AssertionError("no two free ports in a row from 20,000 to 32,000")


def test_lanes_get_consecutive_ports(quick_log):
    async def main():
        port, bound = await bound_at_free_ports(recorded_lanes(quick_log))

        assert [one.served.url for one in bound] == [f"http://127.0.0.1:{port + i}/v1" for i in (0, 1)]
        for one in bound:
            await one.listener.aclose()

    run(main)


def test_a_port_in_use_is_named_with_the_way_out(quick_log):
    async def main():
        lanes = recorded_lanes(quick_log)[:1]
        (first,) = await bind_lanes(lanes, "127.0.0.1", 0)
        port = first.listener.socket.getsockname()[1]

        with pytest.raises(InputError) as caught:
            await bind_lanes(lanes, "127.0.0.1", port)

        await first.listener.aclose()
        assert str(caught.value) == (
            f"cannot listen on 127.0.0.1 port {port}: it is in use; give another --port, or 0 for any free one"
        )

    run(main)


def test_ports_beyond_the_last_are_refused(quick_log):
    with pytest.raises(InputError, match="2 lanes from port 65535 on end at 65536, above 65535"):
        trio.run(lambda: serve_lanes(quick_log, port=65535))


@pytest.mark.parametrize("timers", [True, False])
def test_a_pacer_never_wakes_early_and_keeps_the_order(monkeypatch, timers):
    monkeypatch.setattr(timerfd, "available", lambda: timers and sys.platform == "linux")
    woken = []

    async def wait(pacer, deadline_ns):
        await pacer.wait_until(deadline_ns)
        woken.append((deadline_ns, time.monotonic_ns() >= deadline_ns))

    async def main():
        start_ns = time.monotonic_ns()
        deadlines = [start_ns + offset * 5 * MS for offset in (3, 1, 2, 0)]
        async with open_pacer() as pacer, trio.open_nursery() as nursery:
            for deadline_ns in deadlines:
                nursery.start_soon(wait, pacer, deadline_ns)
            await pacer.wait_until(start_ns + 30 * MS)
            nursery.cancel_scope.cancel()
        assert sorted(woken) == [(deadline_ns, True) for deadline_ns in sorted(deadlines)]

    run(main)


def test_a_wait_that_was_cancelled_wakes_nobody():
    async def main():
        async with open_pacer() as pacer:
            with trio.move_on_after(0.001):
                await pacer.wait_until(time.monotonic_ns() + 5 * MS)
            await pacer.wait_until(time.monotonic_ns() + 10 * MS)

    run(main)


def test_sleeping_alone_is_never_early_either():
    async def main():
        deadline_ns = time.monotonic_ns() + 3 * MS
        await SleepPacer().wait_until(deadline_ns)

        assert time.monotonic_ns() >= deadline_ns

    run(main)


def test_a_request_that_stops_arriving_is_given_up():
    async def never(request, connection):
        raise AssertionError("no whole request ever came")

    async def main():
        client, server = trio.testing.memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_connection, server, never)
            await client.send_all(b"POST /v1/chat/completions HTTP/1.1\r\n")
            said = await client.receive_some()
            await client.aclose()

        assert said.startswith(b"HTTP/1.1 408")

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
