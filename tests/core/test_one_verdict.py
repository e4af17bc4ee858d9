"""One verdict through every view: each case of decision 18, and every view says the same of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from racelog.commands.ls import race_entry
from racelog.commands.page_lines import winner_line
from racelog.events import AnyEvent, Control, LaneEnd, LaneFacts, RaceFacts, RequestEnd, Usage
from racelog.export.json import document
from racelog.export.markdown import lines
from racelog.export.page import data
from racelog.export.source import Source
from racelog.home import StoredRace
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from racelog.views.race import race_view
from racelog.views.story.engine import story
from racelog.views.summary import RaceSummary, race_summary
from racelog.views.verdict import RECORDER_DIED
from racelog_cards.spec import card_spec
from racelog_player.film.snapshot import text_of
from racelog_player.lines.narrator import Narrator, result_table
from racelog_player.panes.result import result_pane
from racelog_recorder.cli.summary_text import summary_lines

Change = Callable[[AnyEvent], AnyEvent | None]


@dataclass(frozen=True)
class Case:
    """A race, and what every view says of it: who won, or why nobody; who did not finish, and why."""

    plans: list[Plan]
    winner: str | None
    nobody: str = ""
    dnf: dict[str, str] = field(default_factory=dict)
    change: Change = lambda event: event
    extra: tuple[AnyEvent, ...] = ()

    def events(self) -> list[AnyEvent]:
        told = [changed for event in ScriptedRace(self.plans).events() if (changed := self.change(event))]
        return sorted([*told, *self.extra], key=lambda event: event.t)


QUICK, SLOW = Plan("quick", ttft_ms=40, requests=20), Plan("slow", ttft_ms=90, requests=20)
DYING = Plan("quick", ttft_ms=40, requests=20, fail=tuple(range(6, 20)))
MANY = Plan("slow", ttft_ms=90, requests=20, fail=tuple(range(12, 20)))
SIX = "6 of 20 requests finished, 30.0 %; the bound is 95 %"
TWELVE = "12 of 20 requests finished, 60.0 %; the bound is 95 %"


def ended(lane: int, status: str, reason: str = "") -> Change:
    """Return a change of how a lane ended."""
    return lambda event: (
        replace(event, status=status, reason=reason)
        if isinstance(event, LaneEnd) and event.lane == lane
        else event
    )


def cached(shares: dict[int, int | None]) -> Change:
    """Return a change by which a lane's every answer had so many of its five prompt tokens from the cache."""
    return lambda event: (
        replace(event, cached_tokens=shares[event.lane]) if isinstance(event, Usage) else event
    )


def asked(event: AnyEvent) -> AnyEvent:
    return replace(event, params={"max_tokens": 64 << event.lane}) if isinstance(event, LaneFacts) else event


def bound(finish: float) -> Change:
    return lambda event: replace(event, finish=finish) if isinstance(event, RaceFacts) else event


def by_time(event: AnyEvent) -> AnyEvent:
    """Change a race to one against the clock, whose end cancelled the quick lane's last requests."""
    if isinstance(event, RaceFacts):
        return replace(event, requests=None, duration_ns=5_000_000_000)
    if isinstance(event, RequestEnd) and event.lane == 0 and event.req >= 15:
        return replace(event, status="cancelled")
    return event


def never_started(event: AnyEvent) -> AnyEvent | None:
    if getattr(event, "lane", None) != 1 or isinstance(event, LaneFacts):
        return event
    return replace(event, status="stopped") if isinstance(event, LaneEnd) else None


ALL_FAILED = [Plan(name, requests=4, fail=(0, 1, 2, 3)) for name in ("quick", "slow")]
NONE = "none of 4 requests finished"
CASES = {
    "both finished": Case([QUICK, SLOW], "quick"),
    "a dead engine is quicker": Case([DYING, SLOW], "slow", dnf={"quick": SIX}),
    "the plan's bound": Case([DYING, SLOW], "quick", change=bound(0.3)),
    "died": Case([QUICK, SLOW], "slow", dnf={"quick": RECORDER_DIED}, change=ended(0, "died", "signal 9")),
    "eliminated": Case(
        [QUICK, SLOW], "slow", dnf={"quick": "eliminated after 20 requests"}, change=ended(0, "stopped", "eliminated"),
        extra=(Control(t=3_000_000_000, what="eliminate", lane=0, by="user"),),
    ),
    "stopped by the user": Case([QUICK, SLOW], "quick", change=ended(1, "stopped")),
    "cancelled by the end": Case([QUICK, SLOW], "quick", change=by_time),
    "all failed": Case(ALL_FAILED, None, "No winner: no request was answered", {"quick": NONE, "slow": NONE}),
    "none finished": Case([DYING, MANY], None, "No winner: no engine finished", {"quick": SIX, "slow": TWELVE}),
    "only one ran": Case(
        [QUICK, SLOW], None, "No winner: only quick was raced", {"slow": "it never started"}, never_started
    ),
    "from the cache": Case(
        [QUICK, SLOW], None,
        "Not like for like: 80.0 % of quick's prompt tokens came from its cache, 0 % of slow's", change=cached({0: 4, 1: 0}),
    ),
    "asked for more": Case([QUICK, SLOW], None, "Not like for like: max_tokens is 64 for quick, 128 for slow", change=asked),
    "a silent server": Case([QUICK, SLOW], "quick", change=cached({0: 4, 1: None})),
}  # fmt: skip


@pytest.fixture(params=list(CASES), scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def summary(case: Case) -> RaceSummary:
    return race_summary(Replay(RaceTracks(case.events())))


def headline(case: Case, wins: str) -> str:
    """Return the sentence that a view begins with."""
    return wins.format(case.winner) if case.winner else case.nobody


@pytest.fixture(scope="module")
def source(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source.read(written(case, tmp_path_factory.mktemp("race")))


def written(case: Case, folder: Path) -> Path:
    race = ScriptedRace(case.plans)
    path = folder / f"{RACE_ID}.rlog"
    race._segment(path, race.head(), case.events(), 50)
    return path


def test_the_result(case: Case) -> None:
    found = summary(case)
    names = {lane.lane: lane.engine for lane in found.lanes}
    assert (found.winner is None or names[found.winner], found.nobody) == (case.winner or True, case.nobody)
    assert {lane.engine: lane.dnf for lane in found.lanes if lane.dnf} == case.dnf


def test_the_places_at_the_end_of_a_replay(case: Case) -> None:
    replay = Replay(RaceTracks(case.events()))
    replay.seek_end()
    view = race_view(replay)
    assert {lane.engine: lane.dnf for lane in view.lanes if lane.dnf} == case.dnf
    first = [lane.engine for lane in view.lanes if lane.place == 1]
    assert first == ([case.winner] if case.winner else [])


def test_the_story(case: Case) -> None:
    told = story(RaceTracks(case.events())).comments
    last = [one.text for one in told if one.key in ("winner", "no-winner")]
    wins = [text for text in last if " wins " in text]
    assert (bool(wins), last[-1].split(" wins ")[0]) == (case.winner is not None, case.winner or case.nobody)


def test_sql(case: Case, source: Source) -> None:
    lanes = list(source.rows("FROM lanes"))
    (race,) = source.rows("FROM races")
    names = {lane["lane_id"]: lane["engine"] for lane in lanes}
    assert names.get(race["winner_lane_id"]) == case.winner
    assert (race["no_winner"] or "") == case.nobody.removeprefix("No winner: ").replace(
        "Not like", "not like"
    )
    assert {lane["engine"]: lane["dnf"] for lane in lanes if lane["dnf"]} == case.dnf


def test_the_last_standings_of_sql_are_those_of_the_result(case: Case, source: Source) -> None:
    rows = source.rows(
        "SELECT engine, place, standings.dnf, final_place FROM standings JOIN lanes USING (race_id, lane_id) "
        "WHERE position_s = (SELECT max(position_s) FROM standings)"
    )
    last = list(rows)
    assert {row["engine"]: row["dnf"] for row in last if row["dnf"]} == case.dnf
    assert [row["place"] for row in last] == [row["final_place"] for row in last]


def test_info_and_ls(case: Case, tmp_path: Path) -> None:
    assert winner_line(summary(case)).startswith(headline(case, "Winner: {}"))
    stored = StoredRace(RACE_ID, written(case, tmp_path), sealed=True, came="")
    assert race_entry(stored)["winner"] == case.winner


def test_the_closing_table_of_record(case: Case) -> None:
    told = summary_lines(summary(case))
    assert told[1].startswith(headline(case, "{} wins"))
    assert all(any(line.startswith(f"{name}: DNF: {why}") for line in told) for name, why in case.dnf.items())
    assert sum(line.startswith("DNF") for line in told) == len(case.dnf)


def test_plain_play(case: Case) -> None:
    told = result_table(summary(case))
    assert told[0].startswith(headline(case, "{} wins"))
    assert all(f"{name} DNF: {why}" in told for name, why in case.dnf.items())


def test_the_result_screen(case: Case) -> None:
    replay = Replay(RaceTracks(case.events()))
    replay.seek_end()
    told = text_of(result_pane(summary(case), race_view(replay), 120, 20))
    assert headline(case, "{} wins") in told
    assert all(f"{name} DNF: {why}" in told for name, why in case.dnf.items())


def test_the_card(case: Case) -> None:
    spec = card_spec(summary(case), lambda _: True)
    assert (spec.hero.name, spec.hero.medal) == ((case.winner, True) if case.winner else ("No winner", False))
    assert {row.name for row in spec.rows if row.mark == "DNF"} == set(case.dnf)


def test_the_exports(case: Case, source: Source) -> None:
    told = "\n".join(lines(source)).replace("\\", "")
    assert headline(case, "**{}** wins") in told
    assert all(f"**{name}** DNF: {why}." in told for name, why in case.dnf.items())
    assert data(source)["summary"]["nobody"] == document(source)["summary"]["nobody"] == case.nobody


def test_a_server_that_says_nothing_of_its_cache_is_a_caveat_beside_the_winner() -> None:
    caveat = "80.0 % of quick's prompt tokens came from its cache; slow's server does not say what came from its own"
    found = summary(CASES["a silent server"])
    assert found.caveat == caveat
    assert f"{caveat}." in summary_lines(found)


def in_every_view(case: Case, folder: Path) -> dict[str, str]:
    """Return what each view says of ``case`` at its end."""
    found, source = summary(case), Source.read(written(case, folder))
    replay = Replay(RaceTracks(case.events()))
    replay.seek_end()
    return {
        "info": winner_line(found),
        "record": "\n".join(summary_lines(found)),
        "plain": "\n".join(result_table(found)),
        "player": text_of(result_pane(found, race_view(replay), 120, 20)),
        "markdown": "\n".join(lines(source)),
        "story": "\n".join(one.text for one in story(RaceTracks(case.events())).comments),
        "card": str(card_spec(found, lambda _: True)),
    }


@pytest.mark.parametrize("view", ["info", "record", "plain", "player", "markdown", "story", "card"])
def test_of_an_engine_that_raced_alone_no_view_says_that_it_won(view: str, tmp_path: Path) -> None:
    told = in_every_view(Case([QUICK], "quick"), tmp_path)[view]
    assert ("quick" in told, " wins" in told, "WINNER" in told.upper()) == (True, False, False)


def test_a_race_of_one_engine_is_listed_without_a_winner(tmp_path: Path) -> None:
    path = written(Case([QUICK], "quick"), tmp_path)
    assert race_entry(StoredRace(RACE_ID, path, sealed=True, came=""))["winner"] is None


def test_running_lines_say_dnf_of_a_lane_that_ended_so() -> None:
    narrator, replay = Narrator(), Replay(RaceTracks(CASES["a dead engine is quicker"].events()))
    narrator.lines(race_view(replay))
    replay.seek_end()
    told = [line.partition("  ")[2] for line in narrator.lines(race_view(replay)) if " after " in line]
    ends = [line for line in told if "DNF" in line or "finished after" in line]
    assert [line.partition(" after ")[0] for line in ends] == ["quick  DNF", "slow   finished"]
    assert ends[0].endswith(SIX)


@pytest.mark.parametrize("view", ["record", "plain", "player", "markdown", "story", "card"])
def test_of_a_lane_whose_recorder_died_no_view_says_that_the_engine_did(view: str, tmp_path: Path) -> None:
    told = in_every_view(CASES["died"], tmp_path)[view]

    assert "recorder" in told
    assert not re.search(r"\bengines? died|(?<!recorder of )\bquick died|\bits process\b|: died", told)
