"""``dump``, ``cat`` and ``verify`` on a pipe, and on a stretch of a log: only what is needed, as it comes."""

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from racelog.cli import run
from racelog.events import LaneFacts, Mark
from racelog.log.format.codec import encode_events
from racelog.log.read.library import Log
from racelog.log.read.reader import open_log
from racelog.log.rewrite.seal import seal
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import Plan, ScriptedRace
from tests.core.log.bytes_of import units

MS = 1_000_000
RACE = ScriptedRace(
    [Plan("hare", requests=3, tokens=4), Plan("tortoise", requests=3, tokens=4, start_ms=1500)]
)


@pytest.fixture
def sealed(tmp_path):
    return seal(RACE.write_segments(tmp_path / "race.live"), tmp_path / "race.rlog")


@pytest.fixture
def piped(monkeypatch, capfd):
    """Give what a command prints when these bytes flow in."""

    def feed(data, *arguments, code=0):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
        assert run([str(argument) for argument in arguments]) == code
        return capfd.readouterr()

    return feed


@pytest.mark.parametrize("verb", ["dump", "cat", "verify"])
def test_a_pipe_tells_what_the_file_tells(sealed, piped, capfd, verb):
    assert run([verb, str(sealed)]) == 0
    told = capfd.readouterr().out

    flowed = piped(sealed.read_bytes(), verb, "-").out

    assert told.replace(str(sealed), "standard input") == flowed


def test_events_are_told_before_the_log_has_ended(tmp_path):
    path = RACE.write_file(tmp_path / "race.rlog")
    data = path.read_bytes()
    first, second, third, *_ = units(data)
    with subprocess.Popen(
        [sys.executable, "-m", "racelog", "dump", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as dump:
        assert dump.stdin is not None
        assert dump.stdout is not None
        told = []
        for unit in (first, second, third):
            os.write(dump.stdin.fileno(), data[unit.offset : unit.end])
            told += [dump.stdout.readline() for _ in range(unit.trailer.n_events)]
        dump.stdin.write(data[third.end :])
        dump.stdin.close()
        told += dump.stdout.readlines()

    assert encode_events(open_log(path).events).splitlines(keepends=True) == told


def test_a_pipe_is_filtered_by_kind_lane_and_time(sealed, piped):
    out = piped(
        sealed.read_bytes(),
        "cat",
        "-",
        "--kind",
        "tok",
        "--lane",
        "hare",
        "--start",
        "1.1",
        "--end",
        "1.14",
        "--json",
    ).out

    assert [json.loads(line)["t"] for line in out.splitlines()] == [1100 * MS, 1120 * MS]


def test_damage_in_a_pipe_is_told_after_what_reads(sealed, piped):
    told = piped(b"\0" * 9 + sealed.read_bytes(), "dump", "-", code=3)

    assert told.out.splitlines() == encode_events(open_log(sealed).events).decode().splitlines()
    assert told.err.startswith(
        "racelog: standard input is damaged: standard input: 9 bytes at offset 0: no trailer."
    )


def test_a_lane_named_after_its_events_is_told_of_those_that_passed(tmp_path, piped):
    with SegmentWriter(tmp_path / "odd.rlog", RACE.head()) as writer:
        writer.commit(RACE.lane_events(0)[:3])
        writer.commit([LaneFacts(t=0, lane=0, engine="late", model="m", url="")])
        writer.finish(1)
    data = (tmp_path / "odd.rlog").read_bytes()

    told = piped(data, "dump", "-", "--lane", "late")
    assert [json.loads(line)["k"] for line in told.out.splitlines()] == ["lane"]
    assert "3 events of lane 'late' came before the log named it; choose it by number: 0" in told.err
    assert len(piped(data, "dump", "-", "--lane", "0").out.splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--lane", "snail"), "no lane 'snail' in standard input; there are 0 (hare), 1 (tortoise)"),
        (("--lane", "7"), "no lane '7' in standard input; there are 0 (hare), 1 (tortoise)"),
        (("--kind", "tokens"), "no such kind 'tokens'; there are calibration, clock"),
    ],
)
def test_a_wrong_choice_on_a_pipe_is_answered_at_its_end(sealed, piped, options, message):
    assert message in piped(sealed.read_bytes(), "dump", "-", *options, code=2).err


@pytest.mark.parametrize("verb", ["dump", "cat", "verify"])
def test_what_flows_in_and_is_no_log_is_refused(piped, verb):
    assert "standard input is not a racelog" in piped(b"hello", verb, "-", code=1).err


@pytest.mark.parametrize("verb", ["dump", "cat", "verify"])
def test_a_terminal_is_no_log(monkeypatch, capfd, verb):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))

    assert run([verb, "-"]) == 2
    assert "pipe one in" in capfd.readouterr().err


def test_a_pipe_with_loss_does_not_verify(sealed, piped):
    data = sealed.read_bytes()

    verdict = json.loads(piped(data[: units(data)[-1].offset], "verify", "-", "--json", code=3).out)
    assert (verdict["verdict"], verdict["path"]) == ("loss", "standard input")


@pytest.mark.parametrize("verb", ["dump", "cat"])
def test_of_a_stretch_of_time_only_the_units_in_it_are_read(tmp_path, capfd, monkeypatch, verb):
    path = tmp_path / "long.rlog"
    with SegmentWriter(path, RACE.head()) as writer:
        writer.commit([*RACE.race_events()])
        for t in range(100):
            writer.commit([Mark(t=t * 1000 * MS, label=f"mark {t}")])
        writer.finish(100_000 * MS)
    read = []
    real = Log._read

    def counted(log, span, *rest):
        read.append(span)
        return real(log, span, *rest)

    monkeypatch.setattr(Log, "_read", counted)

    assert run([verb, str(path), "--start", "40s", "--end", "42s"]) == 0

    assert len(capfd.readouterr().out.splitlines()) == 2
    assert len(read) <= 5
