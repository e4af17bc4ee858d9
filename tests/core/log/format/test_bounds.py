"""What one unit may unfold to: a few kilobytes never ask for gigabytes, and what a writer writes is far below."""

import json
from pathlib import Path

import pytest

from racelog.errors import LogError
from racelog.events import Note, Tokens
from racelog.log.format.bounds import FREE_EVENTS, FREE_ROWS, PER_FRAME_BYTE
from racelog.log.format.codec import decode_unit, encode_events
from racelog.log.format.units import Trailer, Unit, UnitKind, UnitScanner, encode_unit
from racelog.log.read.reader import open_log
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import Plan, ScriptedRace


def unit(payload: bytes, events: int = 1) -> Unit:
    (found,) = UnitScanner().feed(encode_unit(payload, Trailer(UnitKind.DATA, 1, 0, 0, 0, events)))
    assert isinstance(found, Unit)
    return found


def line(**event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


ROWS = 2 * FREE_ROWS
BOMBS = {
    "packed rows": line(k="tok.packed", t=0, lane=0, q=[[0, ROWS]], r="0" * ROWS, d=[], x=[""] * ROWS),
    "plain rows": line(k="tok", t=0, lane=0, r=[0] * ROWS, d=[0] * ROWS, x=[""] * ROWS),
    "readings": line(k="gpu", t=0, source="s", device=0, d=[0] * ROWS),
    "notes": line(k="note", t=0, text="") * (2 * FREE_EVENTS),
    "of a kind from the future": line(k="x.y", t=0) * (2 * FREE_EVENTS),
    "empty arrays": line(
        k="race", t=0, race_id="r", name="n", started_at="", seed=0, plan={"a": [[]] * 1_500_000}
    ),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_unit_that_unfolds_beyond_its_size_is_damage(what: str) -> None:
    with pytest.raises(LogError, match="unit unfolds to"):
        decode_unit(unit(BOMBS[what], BOMBS[what].count(b"\n")))


def test_repeated_text_of_any_length_is_text() -> None:
    prompt = line(k="prompt", t=0, prompt=0, messages=[{"role": "user", "content": "so, " * 1_000_000}])

    assert len(decode_unit(unit(prompt))) == 1


def test_what_has_noise_in_it_may_be_as_long_as_it_is() -> None:
    gaps = [0, *((row * 2_654_435_761) % 50_000_000 for row in range(1, ROWS))]
    batch = Tokens(t=0, lane=0, r=[0] * ROWS, d=gaps, x=[" the"] * ROWS)
    made = unit(encode_events([batch]))

    assert [batch] == decode_unit(made)
    assert len(made.frame) * PER_FRAME_BYTE > 2 * ROWS


def test_a_writer_commits_only_what_every_reader_takes(tmp_path: Path) -> None:
    race = ScriptedRace([Plan("a")])
    rows = FREE_ROWS + 1
    batch = Tokens(t=0, lane=0, r=[0] * rows, d=[0] * rows, x=[""] * rows)
    notes = [Note(t=0, text="")] * (FREE_EVENTS + 1)
    with SegmentWriter(tmp_path / "race.rlog", race.head()) as writer:
        writer.commit([batch])
        writer.commit(notes)
        writer.finish(0)

    log = open_log(tmp_path / "race.rlog")
    assert (log.report.damage, log.report.chunks) == ([], rows)
    assert len(list(log.of(Note))) == len(notes)


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1, (1 << 64) - 1])
def test_an_integer_that_no_column_holds_is_damage(number: int) -> None:
    for event in (
        line(k="tok", t=0, lane=0, r=[number], d=[0], x=["a"]),
        line(k="end", t=0, lane=number, req=0, status="ok"),
        line(k="usage", t=0, lane=0, req=0, output_tokens=number),
        line(k="race", t=0, race_id="r", name="n", started_at="", seed=number),
    ):
        with pytest.raises(LogError):
            decode_unit(unit(event))
