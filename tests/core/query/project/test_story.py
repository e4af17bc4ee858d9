"""The story's tables against the rules that tell it, and against a naive reader of `racelog dump`."""

import json

import pytest
from click.testing import CliRunner

from racelog.cli import app
from racelog.clock import NS_PER_S
from racelog.events import LaneEnd
from racelog.log.read.reader import open_log
from racelog.query.connection.connect import connect
from racelog.query.project.story import LONGEST_STORY_S
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.story.engine import Story, story
from tests.core.query.recorded import EVERY_KIND, write_log

REAL = ["recorder/racelog_recorder/demo/demo.rlog", "tests/bench/corpus/smollm2-vllm.rlog"]
TABLES = ("anomalies", "commentary", "insights", "achievements")


def told(path) -> Story:
    return story(RaceTracks(open_log(path).events))


@pytest.mark.parametrize("path", REAL)
def test_every_row_of_the_story_is_a_row_of_its_table(path):
    expected = told(path)
    connection = connect(path, cache=False)

    assert expected.comments
    assert [
        (c.t_ns, c.lane, c.key, c.tone, c.level, c.text) for c in expected.comments
    ] == connection.execute("select t_ns, lane_id, key, tone, level, text from commentary").fetchall()
    assert [(a.t_ns, a.lane, a.kind, a.req, a.before, a.now, a.unit) for a in expected.anomalies] == (
        connection.execute(
            "select t_ns, lane_id, kind, request_id, before, now, unit from anomalies"
        ).fetchall()
    )
    assert [(i.t_ns, i.lane, i.share, i.priority, i.text, i.reason) for i in expected.insights] == (
        connection.execute("select t_ns, lane_id, share, priority, text, reason from insights").fetchall()
    )
    assert [
        (a.lane, a.key, a.name, a.category, a.unlocked_at_ns, a.progress) for a in expected.achievements
    ] == (
        connection.execute(
            "select lane_id, key, name, category, unlocked_at_ns, progress from achievements"
        ).fetchall()
    )


def test_first_blood_is_the_end_of_the_hundredth_request_in_the_dump():
    dump = CliRunner().invoke(app, ["dump", REAL[1]], catch_exceptions=False).stdout
    events = [json.loads(line) for line in dump.splitlines()]
    raced = {event["req"] for event in events if event["k"] == "req" and event.get("phase", "race") == "race"}
    ends = sorted(event["t"] for event in events if event["k"] == "end" and event["req"] in raced)

    rows = (
        connect(REAL[1])
        .execute("select unlocked_at_ns from achievements where key = 'first-blood'")
        .fetchall()
    )

    assert rows == [(ends[99],)]


def test_an_achievement_and_an_anomaly_are_rows_with_seconds_of_the_replay(tmp_path):
    plan = Plan("swift", ttft_ms=50, gap_ms=1, requests=1_000, tokens=4, start_ms=2_000)
    connection = connect(ScriptedRace([plan]).write_file(tmp_path / "race.rlog"))

    rows = connection.execute("""
        select name, category, unlocked_at_ns - round(unlocked_position_s * 1e9)::bigint, progress, rule
        from achievements where key = 'zero-failures'
    """).fetchall()

    assert rows == [("Zero Failures", "reliability", 2 * NS_PER_S, 1.0, "1,000 requests without an error")]


def test_a_log_that_claims_more_than_a_week_has_no_story_and_every_other_table(tmp_path):
    far = LaneEnd(t=(LONGEST_STORY_S + 1) * NS_PER_S, lane=3, status="finished")
    events = [event for event in EVERY_KIND if not isinstance(event, LaneEnd)]

    connection = connect(write_log(tmp_path / "far.rlog", [*events, far]))

    assert connection.execute("select count(*) from tokens").fetchall() == [(4,)]
    for table in TABLES:
        assert connection.execute(f"from {table}").fetchall() == []
