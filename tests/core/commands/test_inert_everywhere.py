"""One log whose every text is hostile, through every verb and every export: nothing steers, hides or reorders."""

import json
import re
from pathlib import Path

import pytest

from racelog.cli import run
from racelog.events import AnyEvent, LaneFacts, Mark, Note, Prompt, RaceFacts, RequestEnd, Tokens
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.query.recorded import write_log

BAD = "x\x9b31m\x1b[31m\u202ey\u2066\u200bz\U000e0041\ufff9\u2028\x85\x07"
STEERS = re.compile(
    "[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\u2028\u2029\ufff9\U000e0041]|\x1b(?!\\[[\\d;]*m)"
)
"""What no output may hold; a style's own escapes are ours."""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    def spoilt(event: AnyEvent) -> AnyEvent:
        match event:
            case RaceFacts():
                return RaceFacts(
                    t=0, race_id=RACE_ID, name=BAD, started_at=BAD, seed=1, plan={BAD: BAD}, host={"cpu": BAD}
                )
            case LaneFacts():
                return LaneFacts(
                    t=0,
                    lane=event.lane,
                    engine=f"{BAD}{event.lane}",
                    model=BAD,
                    url=BAD,
                    color=BAD,
                    emoji=BAD,
                )
            case Prompt():
                return Prompt(t=0, prompt=event.prompt, messages=[{"role": "user", "content": BAD}])
            case Tokens():
                return Tokens(t=event.t, lane=event.lane, r=event.r, d=event.d, x=[BAD] * len(event.r))
            case RequestEnd() if event.status == "failed":
                return RequestEnd(
                    t=event.t, lane=event.lane, req=event.req, status="failed", error=BAD, message=BAD
                )
            case _:
                return event

    race = ScriptedRace([Plan("a", requests=3, tokens=3, fail=(1,)), Plan("b", requests=3, tokens=3)])
    events = [spoilt(event) for event in race.events()]
    events += [Note(t=events[-1].t, level="warning", text=BAD), Mark(t=events[-1].t, label=BAD)]
    return write_log(tmp_path / "hostile.rlog", events)


PRINTING = [
    ("info",), ("info", "--json"), ("dump",), ("cat",), ("cat", "--json"), ("verify",), ("verify", "--json"),
    ("play", "--plain"), ("play", "--at", "end"), ("play", "--at", "end", "--json"), ("play", "--dry-run"),
]  # fmt: skip
QUERY = "select * from lanes join races using (race_id) join requests using (race_id, lane_id) join tokens using (race_id, lane_id, request_id)"


@pytest.mark.parametrize("verb", PRINTING, ids=" ".join)
def test_nothing_that_a_verb_prints_steers_a_terminal(
    verb: tuple[str, ...], hostile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([verb[0], str(hostile), *verb[1:]]) == 0

    out, err = capfd.readouterr()
    assert STEERS.findall(out + err) == []


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "md"])
def test_nor_do_the_rows_of_a_query(form: str, hostile: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["sql", "--no-cache", "-f", form, QUERY, str(hostile)]) == 0

    assert STEERS.findall("".join(capfd.readouterr())) == []


@pytest.mark.parametrize("form", ["html", "md", "json", "jsonl", "har", "cast"])
def test_nor_does_a_file_that_people_look_at(form: str, hostile: Path, tmp_path: Path) -> None:
    assert run(["export", str(hostile), "-f", form, "-o", str(tmp_path / "out")]) == 0

    files = list((tmp_path / "out").iterdir())
    assert files
    for file in files:
        assert STEERS.findall(file.read_bytes().decode().replace("\r\n", "\n")) == [], file.name


def test_json_keeps_the_value_that_it_escapes(hostile: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["dump", str(hostile), "--kind", "note"]) == 0

    assert json.loads(capfd.readouterr().out)["text"] == BAD


def test_a_table_for_programs_holds_values_as_they_are(tmp_path: Path) -> None:
    formula = "=cmd|'/C calc'!A0"
    race = ScriptedRace([Plan("a", requests=1, tokens=1)])
    events = [
        Tokens(t=event.t, lane=0, r=[0], d=[0], x=[formula]) if isinstance(event, Tokens) else event
        for event in race.events()
    ]
    log = write_log(tmp_path / "formula.rlog", events)

    assert run(["export", str(log), "-f", "csv", "-o", str(tmp_path)]) == 0
    assert formula in (tmp_path / f"{RACE_ID}.tokens.csv").read_text()
