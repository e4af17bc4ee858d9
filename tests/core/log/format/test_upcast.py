"""Old versions of a kind are read as the newest, newer ones are kept; the chain here is made up, the way is not."""

import pytest
from msgspec import Raw

from racelog.errors import LogError
from racelog.events import AnyEvent, Mark, Unknown
from racelog.log.format import codec
from racelog.log.format.codec import decode_event, decode_events, encode_events
from racelog.log.format.upcast import UPCASTERS, PlainEvent, Step, Upcasters


def name_to_title(event: PlainEvent) -> PlainEvent:
    """A mark was once called by its ``name``."""
    return {"title": event["name"], **{field: event[field] for field in ("k", "t", "by") if field in event}}


def title_to_label(event: PlainEvent) -> PlainEvent:
    """Then by its ``title``, in capitals."""
    rest = {field: value for field, value in event.items() if field != "title"}
    return {**rest, "label": event["title"].capitalize()}


CHAIN = (Step("mark", 1, name_to_title), Step("mark", 2, title_to_label))


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks have come to version 3."""
    monkeypatch.setattr(codec, "UPCASTERS", Upcasters(CHAIN))


def test_there_are_no_steps_while_every_kind_is_at_its_first_version() -> None:
    assert (bool(UPCASTERS), UPCASTERS.newest("mark")) == (False, 1)


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    "line",
    [
        b'{"k":"mark","t":7,"name":"HALF TIME","by":"user"}',
        b'{"k":"mark","v":1,"t":7,"name":"HALF TIME","by":"user"}',
        b'{"k":"mark","v":2,"t":7,"title":"HALF TIME","by":"user"}',
        b'{"k":"mark","v":3,"t":7,"label":"Half time","by":"user"}',
    ],
)
def test_every_version_reads_as_the_newest(line: bytes) -> None:
    assert Mark(t=7, v=3, label="Half time", by="user") == decode_event(line)


@pytest.mark.parametrize(("version", "taken"), [(1, "123"), (2, "23"), (3, "3"), (4, "")])
def test_the_steps_are_taken_in_order_from_the_event_s_version(version: int, taken: str) -> None:
    def noting(number: int) -> Step:
        return Step("mark", number, lambda event: {**event, "taken": event["taken"] + str(number)})

    steps = Upcasters([noting(1), noting(2), noting(3)])

    assert steps.upcast({"k": "mark", "v": version, "taken": ""})["taken"] == taken


@pytest.mark.usefixtures("chain")
def test_a_version_beyond_the_last_step_is_kept_as_unknown() -> None:
    line = b'{"k":"mark","v":4,"t":7,"label":["Half","time"]}'

    assert Unknown(t=7, k="mark", raw=Raw(line)) == decode_event(line)


@pytest.mark.usefixtures("chain")
def test_a_kind_without_steps_is_read_as_ever() -> None:
    line = b'{"k":"note","t":7,"text":"hm"}\n'

    assert encode_events(decode_events(line)) == line


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_that_never_was_is_kept_as_unknown(version: int) -> None:
    assert isinstance(decode_event(b'{"k":"mark","v":%d,"t":7,"label":"x"}' % version), Unknown)


@pytest.mark.usefixtures("chain")
def test_an_event_written_again_says_its_newest_version() -> None:
    event = decode_event(b'{"k":"mark","t":7,"name":"go"}')

    assert encode_events([event]) == b'{"k":"mark","t":7,"v":3,"label":"Go"}\n'


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"k":"mark","t":7}', "'mark' event of version 1: KeyError"),
        (b'{"k":"mark","v":2,"t":7,"title":9}', "'mark' event of version 2: AttributeError"),
        (b'{"k":"mark","v":"2","t":7}', "not an event"),
        (b'{"k":"mark","v":3,"t":7,"name":"x"}', "wrong 'mark' event"),
    ],
)
def test_an_old_event_that_is_malformed_is_refused(line: bytes, why: str) -> None:
    with pytest.raises(LogError, match=why):
        decode_event(line)


@pytest.mark.parametrize(
    "steps",
    [
        [Step("mark", 2, title_to_label)],
        [Step("mark", 1, name_to_title), Step("mark", 3, title_to_label)],
        [Step("mark", 1, name_to_title), Step("mark", 1, title_to_label)],
        [*reversed(CHAIN)],
    ],
)
def test_a_chain_with_a_missing_step_is_refused_when_it_is_made(steps: list[Step]) -> None:
    with pytest.raises(ValueError, match="start at 1, leave none out and stand in order"):
        Upcasters(steps)


def test_a_step_never_changes_the_kind_or_the_version() -> None:
    steps = Upcasters([Step("mark", 1, lambda event: {**event, "k": "note", "v": 9})])

    assert steps.upcast({"k": "mark", "t": 7}) == {"k": "mark", "t": 7, "v": 2}


def test_the_event_handed_in_is_left_as_it_was() -> None:
    old = {"k": "mark", "t": 7, "name": "go"}

    Upcasters(CHAIN).upcast(old)

    assert old == {"k": "mark", "t": 7, "name": "go"}


def test_an_unknown_event_with_a_number_that_no_double_holds_is_kept_and_has_a_plain_form() -> None:
    line = b'{"k":"new","t":1,"x":1e4000}\n'
    events: list[AnyEvent] = decode_events(line)

    assert (line, {"k": "new", "t": 1, "x": float("inf")}) == (
        encode_events(events),
        codec.to_plain(events[0]),
    )
