"""Every log ever blessed still reads as it did: the same events byte for byte, the same report, the same refusal."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from racelog.errors import LogError, NewerLog, NotALog
from racelog.events import KnownEvent, Unknown
from racelog.log.format.codec import encode_events
from racelog.log.read.reader import open_log
from racelog.log.rows.fingerprint import fingerprint
from tests.golden.vectors import VECTORS

HERE = Path(__file__).parent


def expected_report(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.with_suffix(".report.json").read_text(encoding="utf-8"))
    return told


LOGS = sorted(HERE.glob("v*/*.rlog"))
REFUSED = {path: told["refused"] for path in LOGS if "refused" in (told := expected_report(path))}
READ = [path for path in LOGS if path not in REFUSED]


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", READ, ids=name)
def test_a_golden_log_gives_the_same_events_for_ever(path: Path) -> None:
    assert encode_events(open_log(path).events) == path.with_suffix(".jsonl").read_bytes()


@pytest.mark.parametrize("path", READ, ids=name)
def test_a_golden_log_gives_the_same_report_for_ever(path: Path) -> None:
    expected, report = expected_report(path), asdict(open_log(path).report)

    # A later racelog may report more, and say of a vector's damage what it likes; what it found must not change.
    damage = [
        {key: found[key] for key in told}
        for told, found in zip(expected.pop("damage"), report["damage"], strict=True)
    ]
    assert expected.items() <= report.items()
    assert expected_report(path)["damage"] == damage


@pytest.mark.parametrize("path", REFUSED, ids=name)
def test_what_is_no_log_of_this_version_is_refused_for_ever(path: Path) -> None:
    refusals: dict[str, type[LogError]] = {"not a log": NotALog, "newer framing": NewerLog}

    with pytest.raises(refusals[REFUSED[path]]):
        open_log(path)

    assert path.with_suffix(".jsonl").read_bytes() == b""


def test_every_golden_log_is_there() -> None:
    first = [
        "minimal",
        "full",
        "odd",
        "full-2",
        "full-3",
        "full-4",
        "full-usage",
        "full-verdict",
        "full-request-path",
        "torn",
        "flipped",
        "zeros",
        "concatenated",
        "race-live",
        "race-sealed",
        "real-engines",
    ]

    assert {path.stem for path in LOGS if path.parent.name == "v1"} == {*first, *VECTORS}


def test_the_readme_says_of_every_golden_log_what_it_shows() -> None:
    told = re.findall(
        r"^\| `([\w-]+)` \|", (HERE / "v1" / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert sorted(told) == sorted(path.stem for path in LOGS)


@pytest.mark.parametrize("vector", VECTORS)
def test_a_vector_shows_what_it_says_and_nothing_else(vector: str) -> None:
    """Its good units are there: a vector that is wholly unreadable by accident would prove nothing."""
    report = expected_report(HERE / "v1" / f"{vector}.rlog")

    assert "refused" in report or report["units"] >= 1


def test_a_race_and_its_sealed_form_hold_the_same_facts() -> None:
    live, sealed = (open_log(HERE / "v1" / f"race-{form}.rlog").events for form in ("live", "sealed"))

    assert fingerprint(live) == fingerprint(sealed)


def test_the_full_log_holds_every_kind_of_its_version() -> None:
    v1 = "head clock race lane prompt lane.start lane.end req sent headers tok usage end host gpu mark note gap fin"
    held = {type(event).__struct_config__.tag for event in open_log(HERE / "v1" / "full.rlog").events}

    assert set(v1.split()) == held


def test_the_full_logs_say_something_in_every_field() -> None:
    seen = {
        (type(event), field)
        for path in sorted((HERE / "v1").glob("full*.rlog"))
        for event in open_log(path).events
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
