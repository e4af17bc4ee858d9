"""Rules of other packages: their rows stand beside ours, live as in replay; a broken one is left out and the story goes on."""

from pathlib import Path

import pytest
from msgspec.structs import replace

import racelog
from racelog import plugins
from racelog.query.cache.cache import Cache
from racelog.query.incremental.advance import grow
from racelog.query.incremental.checkpoint import OvertakenError
from racelog.query.incremental.state_codec import code_mark
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.story.achievements import viewer_achievements
from racelog.views.story.engine import Story, Telling, story
from racelog.views.story.happenings import beats
from tests.installing import Install

EVERY_KIND = """
from racelog.views.story.rows import Achievement, Anomaly, Insight
from racelog.views.story.rules import comment

class Ends:
    def __init__(self):
        self.ends = {}

    def step(self, beat, book):
        if beat.kind != "end":
            return
        lane, at = beat.lane, beat.position_ns
        t = book.lanes[lane].origin_ns + at
        count = self.ends[lane] = self.ends.get(lane, 0) + 1
        yield comment(beat, book, "acme-end", f"request {count} ends")
        if count == 2:
            yield Anomaly(position_ns=at, t_ns=t, lane=lane, kind="acme-second", req=None, before=1.0, now=2.0, unit="",
                          text="a second one", causes=[], advice="")
            yield Insight(position_ns=at, t_ns=t, share=0.5, lane=lane, category="speed", priority="low",
                          text="two have ended", reason="counted")
            yield self.row(lane, t, at)

    def row(self, lane, t=None, at=None):
        return Achievement(lane=lane, key="acme-two", name="Two", category="speed", told="two ends", unlocked_at_ns=t,
                           position_ns=at, progress=min(1.0, self.ends.get(lane, 0) / 2))

    def finish(self, book):
        return [self.row(lane) for lane in book.lanes]
"""
POINT = "[racelog.rules]\nends = acme_module:Ends\n"


def tracks() -> RaceTracks:
    return RaceTracks(ScriptedRace([Plan("a"), Plan("b")]).events())


def foreign(told: Story) -> tuple[int, int, int, int]:
    """Return how many comments, anomalies, insights and achievements of a story are the plug-in's."""
    return (
        sum(row.key == "acme-end" for row in told.comments),
        sum(row.kind == "acme-second" for row in told.anomalies),
        sum(row.text == "two have ended" for row in told.insights),
        sum(row.key == "acme-two" for row in told.achievements),
    )


def test_a_rule_s_rows_stand_beside_ours_and_ours_are_as_without_it(install: Install) -> None:
    ours = story(tracks())
    install("acme", EVERY_KIND, POINT)
    plugins.forget()
    told = story(tracks())

    ends = sum(beat.kind == "end" for beat in beats(tracks()))
    assert foreign(told) == (ends, 2, 2, 2)
    assert [row for row in told.anomalies if row.kind != "acme-second"] == ours.anomalies
    assert [row for row in told.achievements if row.key != "acme-two"] == ours.achievements
    assert {"At 50 %: two have ended", "a second one", "a earns Two: two ends"} <= {
        row.text for row in told.comments
    }


def test_a_story_that_is_copied_on_its_way_ends_as_the_one_it_was_copied_from(install: Install) -> None:
    install("acme", EVERY_KIND, POINT)
    race = tracks()
    telling, found = Telling(race), list(beats(race))
    for beat in found[:40]:
        telling.step(beat)
    other = telling.copy()
    for beat in found[40:]:
        telling.step(beat)
    for beat in found[40:]:
        other.step(beat)

    assert foreign(telling.finish()) == foreign(story(race))
    assert other.finish() == telling.finish()


BROKEN = [
    ("raise KeyError('sent')", "failed: KeyError: 'sent'"),
    ("return [3]", "failed: TypeError: step() gave 3, which is no row"),
    ("return 3", "failed: TypeError: 'int' object is not iterable"),
    ("from racelog.views.story.rules import comment\n        beat = type(beat)(beat.position_ns + 1, 'end', 0)\n        return [comment(beat, book, 'k', 'x')]", "failed: ValueError: step() gave a row of position"),
    ("from racelog.views.story.rules import comment\n        return [comment(beat, book, 'k', 3, lane=0)]", "failed: ValidationError: Expected `str`, got `int`"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "why"), BROKEN)
def test_a_rule_that_fails_is_told_once_and_the_story_goes_on(
    install: Install, capsys: pytest.CaptureFixture[str], body: str, why: str
) -> None:
    ours = story(tracks())
    install("acme", f"class Ends:\n    def step(self, beat, book):\n        {body}\n", POINT)
    plugins.forget()

    assert story(tracks()) == story(tracks()) == ours
    said = capsys.readouterr().err
    assert said.startswith(f"racelog: 'ends' of acme 1.0 (racelog.rules, acme_module:Ends) {why}")
    assert said.endswith("; it is left out\n")
    assert said.count("\n") == 1


def test_a_rule_that_cannot_be_made_is_left_out(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    ours = story(tracks())
    install("acme", "class Ends:\n    def __init__(self, more): ...\n    def step(self): ...\n", POINT)
    plugins.forget()

    assert story(tracks()) == ours
    assert "'ends' of acme 1.0" in capsys.readouterr().err


def test_what_is_no_rule_is_left_out(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("acme", "Ends = 3", POINT)

    story(tracks())
    assert "cannot be used: ends is no class with step(beat, book); it is left out" in capsys.readouterr().err


def test_sql_has_the_rows_of_a_rule_and_keeps_them_apart_by_its_release(
    install: Install, tmp_path: Path
) -> None:
    log = ScriptedRace([Plan("a"), Plan("b")]).write_file(tmp_path / "race.rlog")
    before, mark = Cache(tmp_path).folder, code_mark.__wrapped__()
    assert racelog.connect(log).execute(
        "select count(*) from anomalies where kind = 'acme-second'"
    ).fetchall() == [(0,)]

    install("acme", EVERY_KIND, POINT)
    plugins.forget()

    con = racelog.connect(log)
    assert con.execute("select count(*) from anomalies where kind = 'acme-second'").fetchall() == [(2,)]
    assert con.execute("select count(*) from achievements where key = 'acme-two'").fetchall() == [(2,)]
    assert con.execute("select count(*) > 2 from commentary where key = 'acme-end'").fetchall() == [(True,)]
    first = Cache(tmp_path).folder
    install("zeta", "", "[racelog.rules]\nother = zeta_module:Other\n", "2.0")
    plugins.forget()
    assert len({before, first, Cache(tmp_path).folder}) == 3
    assert code_mark.__wrapped__() != mark


def test_a_growing_race_is_folded_whole_where_other_packages_have_rules(
    install: Install, tmp_path: Path
) -> None:
    install("acme", EVERY_KIND, POINT)

    with pytest.raises(OvertakenError):
        grow(tmp_path / "race.live", None, [])


def test_who_has_unlocked_all_but_another_package_s_achievement_is_no_completionist(install: Install) -> None:
    install("acme", EVERY_KIND, POINT)
    told = [
        row if row.key == "acme-two" else replace(row, unlocked_at_ns=1, position_ns=1, progress=1.0)
        for row in story(tracks()).achievements
    ]
    shares = [row.progress for row in viewer_achievements(6, told)]

    assert shares == [1.0, 6 / 7]
