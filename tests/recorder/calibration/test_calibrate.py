"""The calibration before a race: real sockets, a real truth server, and what becomes of it when something is wrong."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

from racelog.events import AnyEvent, Calibration, Head, Note, Tokens
from racelog.log.read.reader import open_log
from racelog.log.write.segment import SegmentWriter
from racelog_recorder.calibration import calibrate, truth_server
from racelog_recorder.journal.journal import Journal
from racelog_recorder.plan.arrivals import OpenLoop
from racelog_recorder.plan.model import Traffic
from racelog_recorder.transports.pump import stamps
from racelog_recorder.transports.pump.drain import Pump

TOKENS = round(calibrate.STREAMING_S * 1000 / calibrate.GAP_MS)


def calibrated(folder: Path, streams: int, *, tls: bool = False, unix: bool = False) -> list[AnyEvent]:
    """Return what a calibration with so many streams puts into a log, the head and the end left out."""
    folder.mkdir(exist_ok=True)
    head = Head(t=0, race_id="r", writer="1", role="lane", lane=3, mono_origin_ns=time.monotonic_ns())

    async def main() -> None:
        journal = Journal(SegmentWriter(folder / "lane.rlog", head), head)
        async with trio.open_nursery() as nursery:
            pump = Pump()
            nursery.start_soon(pump.run)
            await calibrate.calibrate(journal, pump, lane=3, streams=streams, tls=tls, unix=unix)
            nursery.cancel_scope.cancel()
        await journal.finish()

    trio.run(main)
    return list(open_log(folder / "lane.rlog").events)[1:-1]


@pytest.fixture(autouse=True)
def all_the_time_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no busy machine cut a calibration short; each ends when its last stream has."""
    for name in ("LIMIT_S", "READING_S", "CONNECTING_S"):
        monkeypatch.setattr(calibrate, name, 50.0)


def test_a_calibration_holds_every_chunk_the_server_sent(tmp_path):
    (found,) = calibrated(tmp_path, 4)

    assert isinstance(found, Calibration)
    assert (found.lane, found.streams, found.tokens) == (3, 4, 4 * TOKENS)


def test_its_quantiles_ascend_and_say_who_stamped(tmp_path):
    (found,) = calibrated(tmp_path, 2)

    assert isinstance(found, Calibration)
    assert [found.p50_us, found.p99_us, found.max_us] == sorted([found.p50_us, found.p99_us, found.max_us])
    assert found.stamp == ("kernel" if stamps.probe() == stamps.KERNEL else "user")


def test_over_tls_it_holds_every_chunk_too_and_says_so(tmp_path):
    (plain,), (found,) = calibrated(tmp_path / "plain", 1), calibrated(tmp_path / "tls", 3, tls=True)

    assert isinstance(plain, Calibration)
    assert isinstance(found, Calibration)
    assert (found.tls, found.streams, found.tokens) == (True, 3, 3 * TOKENS)
    assert not plain.tls


@pytest.mark.parametrize("tls", [False, True])
def test_a_lane_over_a_unix_socket_is_calibrated_with_the_stamps_it_will_have(tmp_path, tls):
    (found,) = calibrated(tmp_path, 2, tls=tls, unix=True)

    assert isinstance(found, Calibration)
    assert (found.stamp, found.tokens) == ("user", 2 * TOKENS)


def test_streams_that_do_not_connect_in_time_are_not_said_to_be_there(tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "CONNECTING_S", 0.0)

    (found,) = calibrated(tmp_path, 50, tls=True)

    assert isinstance(found, Calibration)
    assert (found.streams, found.tokens) == (1, TOKENS)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"LIMIT_S": 0.0}, "clock not checked: it took longer than 0 s"),
        ({"READING_S": 0.0}, "clock not checked: no chunk arrived within 0 s"),
    ],
)
def test_a_calibration_that_does_not_work_is_a_note_and_nothing_more(tmp_path, monkeypatch, broken, why):
    for name, value in broken.items():
        monkeypatch.setattr(calibrate, name, value)

    (note,) = calibrated(tmp_path, 2)

    assert isinstance(note, Note)
    assert (note.level, note.lane) == ("warning", 3)
    assert note.text.startswith(why)


def test_a_server_that_does_not_start_is_a_note(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")

    (note,) = calibrated(tmp_path, 2)

    assert isinstance(note, Note)
    assert note.text.startswith("clock not checked: the truth server did not start")


def batch(errors_us: list[float], stamp: str) -> Tokens:
    """Return chunks that arrived so long after their sends, a millisecond apart."""
    times = [1_000_000 * (i + 1) for i in range(len(errors_us))]
    texts = [str(t - round(error * 1e3)) for t, error in zip(times, errors_us, strict=True)]
    d = [0, *[1_000_000] * (len(times) - 1)]
    return Tokens(t=times[0], lane=0, r=[0] * len(times), d=d, x=texts, s=stamp)


def test_coalesced_chunks_are_counted_and_in_no_quantile():
    found = calibrate._judged(9, 0, 1, batch([10.0, 9_000.0, 30.0], "kKk"), {"write_p99_us": 5.0}, [])

    assert (found.tokens, found.coalesced, found.p50_us, found.max_us) == (3, 1, 20.0, 30.0)


def test_stamps_are_called_the_kernels_when_nearly_all_are():
    mostly = calibrate._judged(9, 0, 1, batch([1.0] * 100, "k" * 95 + "u" * 5), {"write_p99_us": 5.0}, [])
    hardly = calibrate._judged(9, 0, 1, batch([1.0] * 100, "k" * 94 + "u" * 6), {"write_p99_us": 5.0}, [])

    assert (mostly.stamp, hardly.stamp) == ("kernel", "user")


def test_chunks_without_a_time_of_their_own_are_no_calibration():
    with pytest.raises(ValueError, match="of 2 chunks every one was read together"):
        calibrate._judged(9, 0, 1, batch([1.0, 2.0], "KK"), {"write_p99_us": 5.0}, [])


@pytest.mark.parametrize(
    ("load", "streams"),
    [
        (None, 7),
        (OpenLoop(rate_per_s=50.0), 50),
        (OpenLoop(rate_per_s=50.0, max_open=20), 20),
        (OpenLoop(rate_per_s=0.1), 1),
    ],
)
def test_as_many_streams_as_the_race_will_have_open(load, streams):
    assert calibrate.expected_streams(Traffic(concurrency=7, load=load)) == streams


def test_the_truth_is_the_time_of_the_send():
    command = [sys.executable, "-I", "-S", truth_server.__file__, "3", "5", "5"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        port = int(server.stdout.readline())
        before_ns = time.monotonic_ns()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"POST / HTTP/1.1\r\n\r\n")
            received = b""
            while b"[DONE]" not in received:
                received += client.recv(65536)
        after_ns = time.monotonic_ns()
        server.stdin.close()
        report = json.loads(server.stdout.read())

    sent = [int(part[:19]) for part in received.decode().split('"content":"')[1:]]
    assert sorted(sent) == sent
    assert before_ns < sent[0] < sent[-1] < after_ns
    assert report["sent"] == 3
