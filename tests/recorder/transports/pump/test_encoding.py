"""Compressed bodies: the same bytes in any split, and every way to be no such body."""

import gzip
import zlib
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.transports.httpx_transport import _Tee
from racelog_recorder.transports.pump.encoding import (
    FREE_BYTES,
    STEP_BYTES,
    EncodingFault,
    Inflater,
    decoder_for,
)
from racelog_recorder.transports.pump.exchange import AT_ONCE_BYTES, CUT_SHORT, Exchange
from racelog_recorder.transports.pump.stamps import Arrival


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "members": lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:]),
    "zlib": zlib.compress,
    "raw": raw_deflate,
}


@pytest.mark.parametrize("kind", sorted(PACKERS))
@given(data=st.binary(min_size=1, max_size=200), splits=st.data())
def test_any_split_unfolds_to_the_same_bytes(kind: str, data: bytes, splits: st.DataObject) -> None:
    packed = PACKERS[kind](data)
    cuts = sorted(splits.draw(st.sets(st.integers(2, max(2, len(packed) - 1)), max_size=8)))
    inflater = Inflater()
    got = b"".join(
        piece
        for start, end in zip([0, *cuts], [*cuts, len(packed)], strict=True)
        for piece in inflater.feed(packed[start:end])
    )

    assert (got, inflater.whole) == (data, True)


def test_each_flushed_message_comes_out_with_the_bytes_that_complete_it() -> None:
    packer, inflater = zlib.compressobj(wbits=31), Inflater()
    messages = [b"data: one\n\n", b"data: two\n\n"]

    got = [
        b"".join(inflater.feed(packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH)))
        for message in messages
    ]

    assert got == messages


def test_a_large_body_comes_in_bounded_steps_and_whole() -> None:
    data = bytes(range(256)) * (5 * STEP_BYTES // 256)
    inflater = Inflater()
    pieces = list(inflater.feed(gzip.compress(data)))

    assert (b"".join(pieces) == data, inflater.whole) == (True, True)
    assert max(map(len, pieces)) <= STEP_BYTES


def test_a_bomb_is_refused_before_it_unfolds() -> None:
    bomb = gzip.compress(bytes(4 * FREE_BYTES))
    pieces = Inflater().feed(bomb)
    given_bytes = sum(len(next(pieces)) for _ in range(FREE_BYTES // STEP_BYTES))

    with pytest.raises(EncodingFault, match="unfolds to more than 250 times its size"):
        next(pieces)
    assert given_bytes == FREE_BYTES


def test_damage_is_a_named_fault() -> None:
    packed = bytearray(gzip.compress(b"hello" * 20))
    packed[12] ^= 0xFF

    with pytest.raises(EncodingFault, match="the compressed body is damaged"):
        list(Inflater().feed(bytes(packed)))


@given(st.binary(max_size=100))
def test_random_bytes_unfold_or_are_a_fault(data: bytes) -> None:
    try:
        list(Inflater().feed(data))
    except EncodingFault as fault:
        assert str(fault)  # noqa: PT017 - either end is right


@pytest.mark.parametrize("encoding", ["", "identity", " Identity , identity"])
def test_nothing_to_undo(encoding: str) -> None:
    assert decoder_for(encoding) is None


NOW = Arrival(1, "k")


class Sink:
    """Keeps the body."""

    def __init__(self) -> None:
        self.data = b""

    def read_begins(self, when: Arrival) -> None:
        return

    def body(self, data: bytes) -> None:
        self.data += data

    def read_ends(self) -> None:
        return


def exchange(status: bytes, encoding: bytes, body: bytes) -> tuple[Exchange, Sink]:
    sink = Sink()
    parsing = Exchange(sink)
    head = b"HTTP/1.1 %s\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (
        status,
        encoding,
        len(body),
    )
    parsing.feed(head + body, NOW)
    return parsing, sink


def test_a_compressed_answer_reaches_the_sink_unfolded_and_no_longer_says_so() -> None:
    parsing, sink = exchange(b"200 OK", b"gzip", gzip.compress(b"hello"))

    assert (sink.data, parsing.finished, parsing.failure) == (b"hello", True, "")
    assert b"content-encoding" not in dict(parsing.headers)


def test_a_compressed_answer_that_ends_early_is_cut_short() -> None:
    parsing, sink = exchange(b"200 OK", b"gzip", gzip.compress(b"hello")[:-4])

    assert (sink.data, parsing.finished, parsing.failure) == (b"hello", False, CUT_SHORT)


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, gzip"])
def test_an_encoding_we_cannot_undo_is_a_clear_failure(encoding: bytes) -> None:
    parsing, sink = exchange(b"200 OK", encoding, b"?????")

    assert (sink.data, parsing.finished) == (b"", False)
    assert parsing.failure == (
        f"the answer is in content-encoding {encoding.decode()!r}, which was not asked for"
        " (the request says identity) and is not decoded here"
    )


def test_a_damaged_body_that_is_whole_is_still_a_failure() -> None:
    parsing, sink = exchange(b"200 OK", b"gzip", b"no gzip at all")

    assert (sink.data, parsing.finished) == (b"", False)
    assert parsing.failure.startswith("the compressed body is damaged: ")


def test_an_error_in_an_encoding_we_cannot_undo_is_still_that_error() -> None:
    parsing, _sink = exchange(b"503 Busy", b"br", b"?????")

    assert (parsing.status, parsing.finished, parsing.failure) == (503, True, "")


class Counting:
    """Keeps how many bytes each read, or part of one, gave."""

    def __init__(self) -> None:
        self.reads: list[int] = []
        self.inside = False

    def read_begins(self, _when: Arrival) -> None:
        assert not self.inside
        self.inside = True
        self.reads.append(0)

    def body(self, data: bytes) -> None:
        assert self.inside
        self.reads[-1] += len(data)

    def read_ends(self) -> None:
        assert self.inside
        self.inside = False


LARGE_BYTES = 5 * AT_ONCE_BYTES
PACKED = gzip.compress(bytes(LARGE_BYTES))
PACKED_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED
)


def test_what_one_read_unfolds_into_is_handed_on_in_parts() -> None:
    sink = Counting()
    exchange = Exchange(sink)
    exchange.feed(PACKED_ANSWER, Arrival(1, "k"))
    states = [(exchange.unfolding, exchange.finished)]
    while exchange.unfolding:
        exchange.go_on()
        states.append((exchange.unfolding, exchange.finished))

    assert (sum(sink.reads), max(sink.reads), sink.inside) == (LARGE_BYTES, AT_ONCE_BYTES, False)
    assert (states[0], states[-1], exchange.keep_alive) == ((True, False), (False, True), True)


@pytest.mark.parametrize(
    ("packed", "why"),
    [(PACKED[:-1], CUT_SHORT), (PACKED[:-8] + bytes(8), "damaged")],
    ids=["cut short", "damaged"],  # gzip has the time in it, and each of several processes packs at its own
)
def test_a_body_that_is_handed_on_in_parts_ends_as_any_other(packed: bytes, why: str) -> None:
    exchange = Exchange(Counting())
    head, _, _ = PACKED_ANSWER.partition(b"\r\nContent-Length")
    exchange.feed(head + b"\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed, Arrival(1, "k"))
    while exchange.unfolding:
        exchange.go_on()

    assert (exchange.finished, why in exchange.failure) == (False, True)


def test_a_second_answer_behind_a_packed_one_ends_its_connection() -> None:
    exchange = Exchange(Counting())
    exchange.feed(PACKED_ANSWER + PACKED_ANSWER, Arrival(1, "k"))
    while exchange.unfolding:
        exchange.go_on()

    assert (exchange.finished, exchange.keep_alive) == (True, False)


class Packed(httpx2.AsyncByteStream):
    """A body of one read, and then none."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield PACKED
        await trio.sleep_forever()


def test_a_cancel_comes_between_two_parts_of_a_read_over_httpx() -> None:
    sink = Counting()

    async def main() -> bool:
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(cancel, scope)
                async for _ in _Tee(Packed(), sink, None, Inflater()):
                    pass
        return scope.cancelled_caught

    async def cancel(scope: trio.CancelScope) -> None:
        scope.cancel()

    assert trio.run(main)
    assert (sum(sink.reads) < LARGE_BYTES, sink.inside) == (True, False)
