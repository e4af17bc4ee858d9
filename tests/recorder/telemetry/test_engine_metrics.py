"""What engines say of themselves: real pages, pages that lie, and a real server asked again and again."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import AnyEvent, EngineSamples, Head, Note
from racelog.log.read.reader import open_log
from racelog.log.write.segment import SegmentWriter
from racelog_recorder.dialects.openai import CHAT
from racelog_recorder.journal.journal import Journal
from racelog_recorder.protocol.messages import MetricsTarget
from racelog_recorder.telemetry.engine_metrics import (
    EngineColumns,
    EngineReading,
    reading_of,
    sample_engine,
)
from racelog_recorder.transports.asking import MOST_BYTES
from tests.recorder.scripted import SAMPLES, read_request

VLLM = (SAMPLES / "vllm.metrics.txt").read_text()
LLAMA = (SAMPLES / "xllamacpp.metrics.txt").read_text()
BUSY = 'vllm:num_requests_running{engine="0"} 3\nvllm:kv_cache_usage_perc{engine="0"} 0.25\n'


def test_vllms_page_is_read() -> None:
    assert reading_of(VLLM) == EngineReading(
        running=0.0, waiting=0.0, kv_cache_pct=0.0, input_tokens=78.0, output_tokens=112.0, cached_tokens=0.0, preemptions=0.0
    )  # fmt: skip


def test_llama_cpps_page_is_read_and_what_it_does_not_say_is_none() -> None:
    assert reading_of(LLAMA) == EngineReading(
        running=0.0, waiting=0.0, input_tokens=51.0, output_tokens=112.0, cached_tokens=27.0
    )


def test_several_schedulers_add_up_and_the_fullest_cache_counts() -> None:
    second = BUSY.replace('"0"', '"1"').replace("0.25", "0.75")

    assert reading_of(BUSY + second) == EngineReading(running=6.0, kv_cache_pct=75.0)


@pytest.mark.parametrize(
    "line",
    [
        "vllm:num_requests_running NaN",
        "vllm:num_requests_running +Inf",
        "vllm:num_requests_running",
        "# vllm:num_requests_running 1",
    ],
)
def test_what_is_no_number_is_not_said(line: str) -> None:
    assert reading_of(line) == EngineReading()


@given(st.text() | st.text('vllm:num_requests_running{}"= \n0.e', max_size=200))
def test_no_page_breaks_the_reading(page: str) -> None:
    reading_of(page)


@pytest.mark.parametrize(
    ("base", "page"),
    [
        ("http://h:8000/v1", "http://h:8000/metrics"),
        ("https://h/team/v1/", "https://h/team/metrics"),
        ("http://h:11434/api", "http://h:11434/metrics"),
        ("http://h:8000", "http://h:8000/metrics"),
    ],
)
def test_the_page_lies_beside_v1(base: str, page: str) -> None:
    assert page == CHAT.metrics_url(base)


def test_readings_become_one_event_without_the_columns_never_said() -> None:
    columns = EngineColumns(2)
    columns.add(100, EngineReading(running=1.0))
    columns.add(350, EngineReading(running=2.0, waiting=4.0))

    assert columns.take() == EngineSamples(
        t=100, lane=2, source="prometheus", d=[0, 250], running=[1.0, 2.0], waiting=[None, 4.0]
    )


def recorded(folder: Path, url: str) -> list[AnyEvent]:
    """Return what is recorded of the engine at ``url`` until it is left alone."""
    head = Head(t=0, race_id="r", writer="1", role="telemetry", mono_origin_ns=time.monotonic_ns())
    target = MetricsTarget(lane=1, engine="e", url=url, api_key="sk-metrics-secret")

    async def main() -> None:
        journal = Journal(SegmentWriter(folder / "telemetry.rlog", head), head)
        await sample_engine(journal, target, 0.001)
        await journal.finish()

    trio.run(main)
    return list(open_log(folder / "telemetry.rlog").events)[1:-1]


def answering(
    status: str, page: str, seen: list[bytes], *, most: int = 1 << 30
) -> Callable[[socket.socket, int], None]:
    """Return a script that answers so many requests of a connection with a page, and the others with a 404."""

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            seen.append(request)
            said, body = (status, page.encode()) if len(seen) <= most else ("404 Not Found", b"")
            head = f"HTTP/1.1 {said}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    return script


def test_an_engine_is_asked_again_and_again_with_its_key(scripted, tmp_path: Path) -> None:
    seen: list[bytes] = []
    server = scripted(answering("200 OK", BUSY, seen, most=12))

    events = recorded(tmp_path, server.url)

    rows = [row for event in events if isinstance(event, EngineSamples) for row in event.running]
    assert rows == [3.0] * 12
    assert all(
        event.lane == 1 and set(event.kv_cache_pct) == {25.0}
        for event in events
        if isinstance(event, EngineSamples)
    )
    assert b"GET /metrics HTTP/1.1" in seen[0]
    assert b"sk-metrics-secret" in seen[0]


@pytest.mark.parametrize(
    ("status", "page", "why"),
    [
        ("404 Not Found", "", "HTTP 404"),
        ("200 OK", "python_info 1\n", "its page has none of the series that racelog knows"),
        ("200 OK", "x" * (MOST_BYTES + 1), "its page is longer than 2 MiB"),
    ],
)
def test_an_engine_that_says_nothing_is_noted_once_and_left_alone(
    status: str, page: str, why: str, scripted, tmp_path: Path
) -> None:
    seen: list[bytes] = []
    server = scripted(answering(status, page, seen))

    (note,) = recorded(tmp_path, server.url)

    assert isinstance(note, Note)
    assert note.text == f"no metrics of e from {CHAT.metrics_url(server.url)}: {why}"
    assert note.lane == 1
    assert len(seen) == 1
