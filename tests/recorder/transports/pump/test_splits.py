"""Recorded streams of real engines through HTTP framing, TLS and the stream's parser: any split says the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import Tokens
from racelog_recorder.dialects.framing import MAX_EVENT_BYTES
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.requests.stream import StreamFacts, StreamSink
from racelog_recorder.transports.pump.exchange import Exchange
from racelog_recorder.transports.pump.stamps import Arrival
from tests.recorder.transports.pump.test_tls import Peer

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.sse"))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
READ_BYTES = 256 * 1024


def framed(body: bytes, *, at_once: bool = False) -> bytes:
    """Return a chat stream's body as a response, an HTTP chunk per event as the servers sent it."""
    events = [body] if at_once else [event + b"\n\n" for event in body.split(b"\n\n") if event]
    return HEAD + b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events) + b"0\r\n\r\n"


class Told:
    """What one exchange told: rows, facts, and how it ended."""

    def __init__(self) -> None:
        self.columns = ChunkColumns(0)
        self.sink = StreamSink(self.columns, 7, 0)
        self.exchange = Exchange(self.sink)

    def read(self, data: bytes, when: Arrival) -> None:
        self.exchange.feed(data, when)

    @property
    def rows(self) -> Tokens | None:
        return self.columns.take()


def told(pieces: Sequence[bytes]) -> tuple[list[str], str, list[int | None], StreamFacts, bool, str]:
    """Return what a response says when it arrives in ``pieces``, its times apart."""
    telling = Told()
    for t_ns, piece in enumerate(pieces, 1):
        telling.read(piece, Arrival(t_ns, "k"))
    rows = telling.rows
    texts, codes, counts = (rows.x, rows.c, rows.n) if rows else ([], "", [])
    return texts, codes, counts, telling.sink.facts, telling.exchange.finished, telling.exchange.failure


def beginning_and_end(body: bytes) -> bytes:
    """Return a short stream made of a recorded one's first and last events: every split of it is affordable."""
    events = body.split(b"\n\n")
    return b"\n\n".join([*events[:2], *events[-3:]])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_every_split_in_two_says_the_same(sample: Path) -> None:
    wire = framed(beginning_and_end(sample.read_bytes()))
    whole = told([wire])

    assert whole[0]
    assert all(told([wire[:cut], wire[cut:]]) == whole for cut in range(1, len(wire)))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
@given(data=st.data())
def test_any_split_says_the_same(sample: Path, data: st.DataObject) -> None:
    wire = framed(sample.read_bytes(), at_once=data.draw(st.booleans()))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=40)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]

    assert told(pieces) == told([wire])


def test_a_byte_at_a_time_says_the_same() -> None:
    wire = framed(SAMPLES[0].read_bytes())

    assert told([wire[at : at + 1] for at in range(len(wire))]) == told([wire])


@given(st.data())
def test_any_split_of_the_records_under_it_says_the_same(certificates: Any, data: st.DataObject) -> None:
    wire = framed(beginning_and_end(SAMPLES[-1].read_bytes()))
    peer = Peer(certificates)
    sealed = peer.tickets + peer.seal(wire[:200], wire[200:201], wire[201:])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sealed) - 1), max_size=20)))
    pieces = [sealed[start:end] for start, end in zip([0, *cuts], [*cuts, len(sealed)], strict=True)]

    assert told([plain for piece in pieces if (plain := peer.client.received(piece))]) == told([wire])


def test_a_line_of_ten_megabytes_is_one_chunk() -> None:
    text = "x" * 10_000_000
    wire = framed(b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % text.encode())

    texts, _, _, facts, finished, _ = told(
        [wire[at : at + READ_BYTES] for at in range(0, len(wire), READ_BYTES)]
    )

    assert (texts == [text], facts.failure, finished) == (True, None, True)


def test_a_line_without_an_end_is_named_when_it_outgrows_the_limit() -> None:
    wire = framed(b"data: " + b"x" * (MAX_EVENT_BYTES + READ_BYTES))

    facts = told([wire[at : at + READ_BYTES] for at in range(0, len(wire), READ_BYTES)])[3]

    assert facts.failure == ("malformed", f"one event of the stream exceeds {MAX_EVENT_BYTES} bytes")


@pytest.mark.parametrize(("more", "stamp"), [(False, "k"), (True, "K")])
def test_a_message_whose_read_holds_part_of_a_further_record_is_coalesced(more: bool, stamp: str) -> None:  # noqa: FBT001 - a parameter of the test
    telling = Told()
    event = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
    telling.read(HEAD + b"%x\r\n%s\r\n" % (len(event), event), Arrival(1, "k", more=more))
    rows = telling.rows

    assert rows is not None
    assert (rows.s or "k") == stamp
