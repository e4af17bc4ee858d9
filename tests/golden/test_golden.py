"""Every log ever blessed still reads as it did: the same events byte for byte, the same report."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from racelog.events import KnownEvent, Unknown
from racelog.log.codec import encode_events
from racelog.log.reader import open_log

HERE = Path(__file__).parent
LOGS = sorted(HERE.glob("v*/*.rlog"))


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", LOGS, ids=name)
def test_a_golden_log_gives_the_same_events_for_ever(path: Path) -> None:
    assert encode_events(open_log(path).events) == path.with_suffix(".jsonl").read_bytes()


@pytest.mark.parametrize("path", LOGS, ids=name)
def test_a_golden_log_gives_the_same_report_for_ever(path: Path) -> None:
    expected = json.loads(path.with_suffix(".report.json").read_text(encoding="utf-8"))

    # A later racelog may report more; what it reported then must not change.
    assert expected.items() <= asdict(open_log(path).report).items()


def test_every_golden_log_is_there() -> None:
    assert {path.stem for path in LOGS if path.parent.name == "v1"} == {
        "minimal", "full", "odd", "torn", "flipped", "zeros", "concatenated",
    }  # fmt: skip


def test_the_full_log_holds_every_kind_of_its_version() -> None:
    v1 = "head clock race lane prompt lane.start lane.end req sent headers tok usage end host gpu mark note gap fin"
    held = {type(event).__struct_config__.tag for event in open_log(HERE / "v1" / "full.rlog").events}

    assert set(v1.split()) == held


def test_the_full_log_says_something_in_every_field() -> None:
    seen = {
        (type(event), field)
        for event in open_log(HERE / "v1" / "full.rlog").events
        for field in json.loads(encode_events([event]))
    }

    unsaid = [
        (kind.__struct_config__.tag, field)
        for kind in KnownEvent.__args__
        for field in kind.__struct_fields__
        if (kind, field) not in seen and field != "v"
    ]
    assert [entry for entry in unsaid if entry[0] != "head"] == []


def test_the_odd_log_keeps_what_it_does_not_know() -> None:
    events = open_log(HERE / "v1" / "odd.rlog").events

    assert [(event.t, event.k) for event in events if isinstance(event, Unknown)] == [
        (5, "from.the.future"),
        (6, "mark"),
    ]
