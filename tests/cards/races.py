"""Summaries of small races, plain and odd, for the tests of the card."""

from msgspec.structs import replace

from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.summary import RaceSummary, Spread, race_summary
from racelog.views.verdict import RECORDER_DIED


def summary_of(*plans: Plan, name: str = "scripted", grid: str = "together") -> RaceSummary:
    """Return the summary of a race in which each lane keeps to its plan."""
    return race_summary(Replay(RaceTracks(ScriptedRace(list(plans), name=name, grid=grid).events())))


def three_lanes() -> RaceSummary:
    """Return a race of three, the last of them with a failed request."""
    return summary_of(
        Plan("vllm", ttft_ms=50), Plan("sglang", ttft_ms=170), Plan("ollama", ttft_ms=1100, fail=(1,))
    )


def long_race(summary: RaceSummary, seconds: int = 12) -> RaceSummary:
    """Return ``summary`` as if each lane had streamed for ``seconds``, so that its rate is drawn over time."""
    lanes = [
        replace(lane, duration_s=seconds + lane.lane, timeline_tokens_per_s=[400 + lane.lane * 30] * (seconds + lane.lane))
        for lane in summary.lanes
    ]  # fmt: skip
    return replace(summary, lanes=lanes)


def with_lane(summary: RaceSummary, lane: int, **changes: object) -> RaceSummary:
    """Return ``summary`` with some fields of one lane changed."""
    return replace(
        summary, lanes=[replace(one, **changes) if one.lane == lane else one for one in summary.lanes]
    )


def spread(ms: float, n: int = 200) -> Spread:
    """Return a spread around ``ms``."""
    return Spread(n=n, mean=ms, p50=ms, p90=ms * 2, p99=ms * 3, max=ms * 4)


LONG = "a serving engine whose name goes on and on v0.11.2rc4+cu128-flash-attention "
ODD = {
    "one lane": summary_of(Plan("vllm")),
    "two lanes": summary_of(Plan("vllm"), Plan("sglang", ttft_ms=300)),
    "three lanes": long_race(three_lanes()),
    "ten lanes": long_race(summary_of(*(Plan(f"engine {i}", ttft_ms=50 + 40 * i) for i in range(10)))),
    "ten short lanes": summary_of(*(Plan(f"engine {i}", ttft_ms=50 + 40 * i) for i in range(10))),
    "twelve lanes": summary_of(*(Plan(f"engine {i}", ttft_ms=50 + 40 * i) for i in range(12)), name=""),
    "long names": long_race(summary_of(*(Plan(f"{LONG * 3}{i}", ttft_ms=50 + 40 * i) for i in range(3)), name=LONG * 9)),
    "ten long names": summary_of(*(Plan(f"{i} {LONG * 3}", ttft_ms=900 + 400 * i, fail=(1,)) for i in range(10)), name=LONG * 9),
    "markup and emoji": summary_of(Plan("$x^2$ \\frac", emoji="🦙"), Plan("通义🚀", ttft_ms=300), Plan("\x1b[31m$", ttft_ms=900), name="$"),
    "nothing succeeded": summary_of(*(Plan(f"e{i}", fail=(0, 1, 2, 3)) for i in range(3))),
    "a dead lane": with_lane(summary_of(Plan("vllm"), Plan("sglang", ttft_ms=300)), 1, status="died", reason="sk-secret", place=None, dnf=RECORDER_DIED),
    "no lanes": replace(three_lanes(), lanes=[], standings=[], winner=None, status="unfinished"),
    "no numbers": with_lane(three_lanes(), 0, ttft_ms=None, tpot_ms=None, tokens_per_s=None),
    "huge numbers": long_race(
        with_lane(three_lanes(), 2, tokens_per_s=1.234e6, ttft_ms=spread(7.2e6), tpot_ms=spread(1e6), requests=10**7, token_basis=["chunks"]), 9000
    ),
    "zero times": with_lane(three_lanes(), 0, ttft_ms=spread(0.0)),
    "odd facts": replace(three_lanes(), started_at="yesterday", race_id="", host={"cpu": 7, "gpu": [None, {"x": 1}]}, requests_per_lane=None, concurrency=0),
}  # fmt: skip
