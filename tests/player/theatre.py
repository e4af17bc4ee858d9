"""A race with everything a page can show: uneven engines, failures, a warm-up, GPUs, the recorder's own load."""

from functools import lru_cache
from random import Random

from racelog.events import (
    AnyEvent,
    GpuSamples,
    HostSamples,
    LaneEnd,
    LaneStart,
    Mark,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace

MS = 1_000_000
SECOND = 1_000 * MS
ANSWER = [
    "Neural",
    "networks",
    "are",
    "computational",
    "models",
    "inspired",
    "by",
    "the",
    "human",
    "brain.",
    "They",
    "consist",
    "of",
    "interconnected",
    "layers",
    "of",
    "simple",
    "units,",
    "each",
    "of",
    "which",
    "adds",
    "up",
    "what",
    "it",
    "is",
    "given",
    "and",
    "passes",
    "on",
    "a",
    "little",
    "of",
    "it.",
]


class Still:
    """A race as a source that is over, from its tracks instead of a file."""

    ended = True

    def __init__(self, tracks: RaceTracks) -> None:
        self.tracks = tracks

    def poll(self, now_ns: int) -> None:
        pass

    def edge_ns(self, now_ns: int) -> int:
        return self.tracks.duration_ns()

    def countdown_s(self, now_ns: int) -> int | None:
        return None

    def quiet_s(self, now_ns: int) -> float:
        return 0.0

    def late_ns(self, now_ns: int) -> int:
        return 0


@lru_cache
def theatre(requests: int = 24) -> list[AnyEvent]:
    """Return the events of a 30-second race of three lanes with two requests in flight on each."""
    race = ScriptedRace(
        [
            Plan("vLLM", emoji="🚀", color="purple", requests=requests),
            Plan("llama.cpp", emoji="🦙", color="orange", requests=requests),
            Plan("SGLang-日本", color="teal", requests=requests),
        ],
        name="Production candidates",
        finish=0.9,
        prompts=["Explain neural networks in simple words.", "What is machine learning?", "Name three rivers."],
    )  # fmt: skip
    events = race.race_events()
    for lane, (ttft, gap, failing) in enumerate(((180, 22, ()), (320, 17, (6, 13)), (240, 28, ()))):
        events += _lane(lane, ttft, gap, failing, requests)
    events += _machines()
    events.append(Mark(t=12 * SECOND, label="deployed", by="user"))
    return sorted(events, key=lambda event: event.t)


def _lane(lane: int, ttft: int, gap: int, failing: tuple[int, ...], requests: int) -> list[AnyEvent]:
    draw = Random(lane)
    events: list[AnyEvent] = [LaneStart(t=SECOND, lane=lane)]
    free = [SECOND, SECOND + 300 * MS]
    for req in range(requests):
        stream = free.index(min(free))
        start = free[stream]
        slow = 3 if 14 <= req < 19 and lane == 1 else 1
        first = start + int(ttft * slow * draw.uniform(0.8, 1.3)) * MS
        events += [
            RequestScheduled(
                t=start, lane=lane, req=req, prompt=req % 3, phase="warmup" if req == 0 else "race"
            ),
            RequestSent(t=start, lane=lane, req=req, connection="reused" if req > 1 else "new"),
            ResponseHeaders(t=first - 20 * MS, lane=lane, req=req, status=500 if req in failing else 200),
        ]
        if req in failing:
            events.append(
                RequestEnd(
                    t=first,
                    lane=lane,
                    req=req,
                    status="failed",
                    error="http",
                    message="HTTP 500: out of memory",
                )
            )
            free[stream] = first
            continue
        words = ANSWER[: draw.randrange(20, len(ANSWER))] * 2
        gaps = [0, *(int(gap * draw.uniform(0.6, 1.5)) * MS for _ in words[1:])]
        last = first + sum(gaps)
        events += [
            Tokens(
                t=first,
                lane=lane,
                r=[req] * len(words),
                d=gaps,
                x=[words[0], *(f" {word}" for word in words[1:])],
            ),
            Usage(t=last, lane=lane, req=req, input_tokens=12, output_tokens=len(words)),
            RequestEnd(t=last, lane=lane, req=req, status="ok", finish_reason="stop"),
        ]
        free[stream] = last
    return [*events, LaneEnd(t=max(free), lane=lane, status="finished")]


def _machines() -> list[AnyEvent]:
    steps = [0, *([SECOND] * 29)]
    used = [20.0 + 75.0 * min(1.0, second / 6) for second in range(30)]
    gpu = GpuSamples(
        t=SECOND, source="local", device=0, d=steps, name="NVIDIA H200", util_pct=list(used),
        mem_used_mib=[130_000.0] * 30, mem_total_mib=[143_771.0] * 30,
    )  # fmt: skip
    lanes = [
        HostSamples(t=SECOND, process=f"lane:{engine}", d=steps, cpu_pct=[9.0 + lane * 35.0 + second % 3 for second in range(30)],
                    rss_mib=[61.0 + lane] * 30, loop_lag_us=[120.0 + 40 * (second % 5) for second in range(30)])
        for lane, engine in enumerate(("vLLM", "llama.cpp", "SGLang-日本"))
    ]  # fmt: skip
    return [gpu, *lanes]
