"""A card's words and numbers, decided before anything is drawn.

``RACELOG_UPDATE_GOLDEN=1`` rewrites the golden specs after a change that was meant.
"""

import os
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from racelog.events import Calibration
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace, recorder_readings
from racelog.views.summary import RaceSummary, race_summary
from racelog.views.verdict import RECORDER_DIED
from racelog_cards.charts import Curve
from racelog_cards.spec import CardSpec, card_spec
from racelog_cards.wording import Draws
from tests.cards.races import ODD, long_race, spread, summary_of, three_lanes, with_lane

GOLDEN = Path(__file__).parent / "golden"


def latin(character: str) -> bool:
    """Stand for a machine whose fonts have Latin only."""
    return ord(character) < 0x250 or character in "\N{EN DASH}…"


draws: Draws = latin


def as_json(spec: CardSpec) -> str:
    return msgspec.json.format(msgspec.json.encode(spec), indent=2).decode() + "\n"


@pytest.mark.parametrize(
    ("golden", "race"),
    [
        ("three-short", three_lanes()),
        ("three-long", long_race(three_lanes())),
        ("nothing", ODD["nothing succeeded"]),
    ],
)
def test_a_card_says_what_it_said_before(golden: str, race: RaceSummary) -> None:
    path = GOLDEN / f"{golden}.json"
    if os.environ.get("RACELOG_UPDATE_GOLDEN"):
        path.write_text(as_json(card_spec(race, draws)))
    assert as_json(card_spec(race, draws)) == path.read_text()


@pytest.mark.parametrize("race", ODD.values(), ids=ODD.keys())
def test_every_odd_race_has_a_card_that_json_can_hold(race: RaceSummary) -> None:
    spec = card_spec(race, draws)
    assert msgspec.json.decode(msgspec.json.encode(spec), type=CardSpec) == spec


def test_the_lead_is_cut_and_never_rounded_up() -> None:
    hero = card_spec(summary_of(Plan("a", ttft_ms=100), Plan("b", ttft_ms=349)), draws).hero
    assert (hero.lead, hero.rival) == ("3.49x faster to first token than", "b")


def test_a_narrow_win_is_told_in_milliseconds() -> None:
    hero = card_spec(summary_of(Plan("a", ttft_ms=100), Plan("b", ttft_ms=102)), draws).hero
    assert (hero.lead, hero.rival) == ("2.00 ms ahead of", "b")


def test_a_dead_heat_claims_no_lead() -> None:
    assert card_spec(summary_of(Plan("a"), Plan("b")), draws).hero.lead == ""


def test_a_lead_is_measured_against_a_lane_that_lived() -> None:
    race = summary_of(Plan("a", ttft_ms=100), Plan("b", ttft_ms=150), Plan("c", ttft_ms=300))
    assert (
        card_spec(with_lane(race, 1, status="died", place=None, dnf=RECORDER_DIED), draws).hero.rival == "c"
    )


def test_one_lane_has_a_result_but_no_winner_and_no_place() -> None:
    spec = card_spec(summary_of(Plan("a")), draws)
    assert (spec.hero.label, spec.hero.medal, spec.rows[0].place) == ("RESULT", False, None)


def test_a_race_without_a_name_is_called_by_its_engines() -> None:
    assert card_spec(summary_of(Plan("a"), Plan("b"), name=""), draws).title == "a vs b"


def test_the_title_asked_for_comes_first() -> None:
    assert card_spec(three_lanes(), draws, title="Mine").title == "Mine"


def test_lanes_beyond_the_tenth_are_counted() -> None:
    spec = card_spec(ODD["twelve lanes"], draws)
    assert (len(spec.rows), spec.footer[0]) == (10, "+ 2 more lanes")


def test_a_dead_lane_is_tagged_and_its_reason_kept_off_the_card() -> None:
    spec = card_spec(ODD["a dead lane"], draws)
    assert (spec.rows[1].tag, spec.notice) == ("recorder died", "one lane's recorder died")
    assert "sk-secret" not in as_json(spec)


def test_counts_that_are_not_the_servers_are_starred_and_explained() -> None:
    spec = card_spec(with_lane(three_lanes(), 0, token_basis=["chunks"]), draws)
    assert spec.rows[0].cells[3].text.endswith("tok/s*")
    assert "* tokens counted one per text chunk" in spec.footer


def test_the_best_of_a_column_is_marked_once_and_a_tie_of_all_never() -> None:
    rows = card_spec(three_lanes(), draws).rows
    assert [row.cells[0].tone for row in rows] == ["best", "plain", "plain"]
    assert [row.cells[2].tone for row in rows] == ["plain", "plain", "plain"]


def test_the_recording_machine_is_told_in_a_line() -> None:
    host = {
        "cpu": "Intel(R) Xeon(R)",
        "cores": 8,
        "memory_mib": 65536,
        "os": "Linux",
        "gpu": [{"name": "H200"}] * 2,
    }
    assert (
        "on 2 x H200, Intel Xeon, 8 cores, 64.0 GiB, Linux"
        in card_spec(replace(three_lanes(), host=host), draws).footer
    )


def test_stamps_are_told_by_share() -> None:
    race = with_lane(summary_of(Plan("a")), 0, stamps={"kernel": 90, "user": 10})
    assert "token times: 90.0 % kernel, 10.0 % user" in card_spec(race, draws).footer


def test_a_begun_last_second_is_divided_by_what_there_was_of_it() -> None:
    race = with_lane(summary_of(Plan("a")), 0, duration_s=6.5, timeline_tokens_per_s=[100] * 6 + [50])
    assert card_spec(race, draws).chart.curves == (
        Curve(lane=0, x=(0.0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.25, 6.5), y=(100.0,) * 9),
    )


def test_an_hour_is_drawn_in_minutes_with_few_points() -> None:
    race = with_lane(summary_of(Plan("a")), 0, duration_s=3600.0, timeline_tokens_per_s=[7] * 3600)
    chart = card_spec(race, draws).chart
    assert (chart.x_label, len(chart.curves[0].x), set(chart.curves[0].y)) == (
        "minutes since the start",
        102,
        {7.0},
    )


def test_a_short_race_shows_how_its_first_tokens_spread() -> None:
    bars = card_spec(with_lane(three_lanes(), 0, ttft_ms=spread(10)), draws).chart.bars
    assert (bars[0].p50, bars[0].p90, bars[0].p99) == (10, 20, 30)


def test_a_name_that_no_font_draws_is_told_by_its_letters_numbers() -> None:
    assert card_spec(ODD["markup and emoji"], draws).rows[1].name == "[901A·4E49]"


def test_a_card_says_that_its_client_was_the_bottleneck() -> None:
    busy = recorder_readings("vllm", cpu_pct=100.0, loop_lag_us=9_000.0)
    race = ScriptedRace([Plan("vllm", requests=10, gap_ms=100)])
    spec = card_spec(race_summary(Replay(RaceTracks([*race.events(), busy]))), draws)

    assert spec.notice == "measuring machine too slow"
    assert (
        "measuring machine too slow - recorder too busy: its CPU was full for 100 % of vllm's race"
        in spec.footer
    )


def test_a_card_says_how_far_its_stamps_were_from_the_truth() -> None:
    found = Calibration(
        t=0, lane=0, streams=64, tokens=3200, coalesced=0, p50_us=12.0, p99_us=31.0, max_us=90.0, stamp="kernel",
        tokens_per_s=3200.0,
    )  # fmt: skip
    summary = race_summary(Replay(RaceTracks([*ScriptedRace([Plan("vllm")]).events(), found])))

    assert card_spec(summary, draws).footer[-3] == (
        "the recorder kept up: clock checked, +-0.031 ms (p99) at 64 streams"
    )
