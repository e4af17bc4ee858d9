"""Events to JSON lines and back: nothing lost, nothing guessed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct

from racelog.errors import LogError
from racelog.events import AnyEvent, GpuSamples, HostSamples, Mark, Note, RequestEnd, Tokens, Unknown
from racelog.log.format import codec
from racelog.log.format.codec import decode_event, decode_events, encode_events, time_span, to_plain
from tests.core.strategies import KINDS, any_events, of_kind

FUTURE = b'{"k":"mark","v":2,"t":7,"label":{"en":"go"}}'


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__struct_config__.tag))
@given(data=st.data())
def test_every_kind_comes_back_as_it_was(kind: type[Struct], data: st.DataObject) -> None:
    events = data.draw(st.lists(of_kind(kind), max_size=3))

    assert events == decode_events(encode_events(events))


@given(st.lists(any_events, max_size=6))
def test_bytes_come_back_as_they_were_whatever_the_kinds(events: list[AnyEvent]) -> None:
    payload = encode_events(events)

    assert payload == encode_events(decode_events(payload))


@given(st.binary(max_size=200))
def test_random_bytes_give_events_or_a_log_error_and_nothing_else(payload: bytes) -> None:
    try:
        events = decode_events(payload)
    except LogError:
        return

    assert isinstance([to_plain(event) for event in events], list)


@given(st.lists(any_events, min_size=1, max_size=3), st.data())
def test_a_changed_byte_gives_events_or_a_log_error_and_nothing_else(
    events: list[AnyEvent], data: st.DataObject
) -> None:
    payload = bytearray(encode_events(events))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        decoded = decode_events(bytes(payload))
    except LogError:
        return

    assert len(decoded) == len([to_plain(event) for event in decoded])


def test_an_unknown_kind_is_kept_byte_for_byte() -> None:
    line = b'{ "t":5, "x":[1, 2.50],\t"k":"from.the.future" }'

    event = decode_event(line)

    assert isinstance(event, Unknown)
    assert (5, "from.the.future", line + b"\n") == (event.t, event.k, encode_events([event]))


def test_a_newer_version_of_a_known_kind_is_kept_as_unknown_and_never_misread() -> None:
    event = decode_event(FUTURE)

    assert isinstance(event, Unknown)
    assert (event.t, event.k, encode_events([event])) == (7, "mark", FUTURE + b"\n")


def test_a_newer_version_that_happens_to_fit_is_kept_as_unknown_too() -> None:
    assert isinstance(decode_event(b'{"k":"mark","v":2,"t":7,"label":"go"}'), Unknown)


def test_unknown_fields_are_ignored() -> None:
    assert Mark(t=1, label="go") == decode_event(b'{"k":"mark","t":1,"label":"go","mood":{"a":[1]}}')


def test_missing_fields_take_their_default() -> None:
    assert RequestEnd(t=9, lane=0, req=1, status="ok", error="", finish_reason="") == decode_event(
        b'{"k":"end","t":9,"lane":0,"req":1,"status":"ok"}'
    )


def test_what_equals_its_default_is_not_written() -> None:
    assert encode_events([Note(t=3, text="hm")]) == b'{"k":"note","t":3,"text":"hm"}\n'


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"k":"mark"}',
        b'{"t":1,"label":"x"}',
        b'{"k":1,"t":1}',
        b'{"k":"mark","t":"1","label":"x"}',
        b'{"k":"mark","t":1.5,"label":"x"}',
        b'{"k":"mark","t":1}',
        b'{"k":"mark","t":1,"label":"x","by":"nobody"}',
        b'{"k":"mark","t":1,"label":"x"} {}',
        b'{"k":"mark","t":1,"label":"\xff"}',
        b'{"k":"\xff","t":1}',
        b'{"k":"new","t":1,"x":"\xff"}',
        b'{"k":"mark","t":1,"label":"x","unknown":"\xff"}',
        b'{"k":"new","t":1,"x":' + b"[" * 100_000,
        b'{"k":"new","t":1e400}',
        b'{"k":"mark","t":170141183460469231731687303715884105728,"label":"x"}',
    ],
)
def test_a_line_that_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(LogError):
        decode_events(line + b"\n")


@pytest.mark.parametrize(
    "event",
    [
        Tokens(t=0, lane=0, r=[1], d=[0], x=["a", "b"]),
        Tokens(t=0, lane=0, r=[1], d=[0, 1], x=["a"]),
        Tokens(t=0, lane=0, r=[1], d=[0], x=["a"], c="cc"),
        Tokens(t=0, lane=0, r=[1], d=[0], x=["a"], n=[1, 2]),
        Tokens(t=0, lane=0, r=[1], d=[0], x=["a"], s="kk"),
        HostSamples(t=0, process="host", d=[0, 1], cpu_pct=[1.0], rss_mib=[1.0, 2.0]),
        HostSamples(t=0, process="host", d=[0], cpu_pct=[1.0], rss_mib=[1.0], loop_lag_us=[1.0, 2.0]),
        GpuSamples(t=0, source="nvml", device=0, d=[0, 1], power_w=[1.0]),
    ],
)
def test_a_ragged_column_is_refused(event: AnyEvent) -> None:
    with pytest.raises(LogError, match="differ in length"):
        decode_events(encode_events([event]))


def test_a_column_that_runs_backwards_is_refused() -> None:
    with pytest.raises(LogError, match="runs backwards"):
        decode_events(encode_events([Tokens(t=9, lane=0, r=[0, 0], d=[0, -5], x=["a", "b"])]))


def test_a_column_that_leaves_64_bits_is_refused() -> None:
    end = (1 << 63) - 1
    with pytest.raises(LogError, match="64 bits"):
        decode_events(encode_events([Tokens(t=end, lane=0, r=[0, 0], d=[0, 1], x=["a", "b"])]))


def test_absurdly_many_events_are_refused_before_they_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MAX_EVENTS_PER_UNIT", 2)

    with pytest.raises(LogError, match="3 events, more than the limit 2"):
        decode_events(b"\n\n\n")


def test_the_span_of_events_reaches_to_the_last_row_of_a_column() -> None:
    batch = Tokens(t=10, lane=0, r=[0, 0, 0], d=[0, 5, 5], x=["a", "b", "c"])

    assert time_span([Mark(t=12, label="x"), batch]) == (10, 20)


def test_the_span_of_a_column_that_is_carried_as_it_stands_is_that_of_the_column() -> None:
    line = b'{"k":"tok","t":10,"lane":0,"r":[0,0],"d":[0,5],"x":["a","b"],"new":1}'

    assert time_span([Unknown(t=10, k="tok", raw=Raw(line))]) == (10, 15)


def test_an_event_as_a_plain_dictionary_is_its_json_line() -> None:
    event = decode_event(b'{"k":"new","t":1,"x":null}')

    assert msgspec.json.decode(encode_events([event])) == to_plain(event)
