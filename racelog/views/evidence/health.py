"""Was the client the bottleneck? A verdict over what the recorder noted of itself, by rules that stand here alone.

    readings, calibration, stamps, gaps --> LaneHealth --RULES--> reasons --> RaceHealth

The log holds no verdict: a rule that changes judges every past race anew. Each rule names its threshold and where
that comes from; a lane about which the log tells nothing (imported, or of an old version) is not judged.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from racelog.clock import NS_PER_MS
from racelog.display.figures import duration, percent, tick
from racelog.display.text import counted
from racelog.events import STAMP_CODES, Calibration, RaceFacts
from racelog.replay.health import LATE_LOOP_US, LATE_SEND_NS
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import median, quantile
from racelog.replay.race import RaceTracks, Replay
from racelog.views.evidence.load import agreed_starts
from racelog.views.pauses import held

FULL_SHARE = 0.10
LOOP_LAG_US = 5_000.0
COALESCED_SHARE = 0.05
USER_SHARE = 0.05
LATE_SEND_SHARE = 0.05
CALIBRATION_P99_US = 1_000.0

LATE_START_MS = 250.0
STOOD_STILL_MS = 1_000.0

LEAST_SAMPLES = 20
"""Two seconds of readings: below that, the burst of connecting alone is a tenth of the race."""

TOO_SLOW = "measuring machine too slow"
"""What every view says, in these words, of a race whose client was the bottleneck."""

LEAST_SENDS = 20
"""Below this many requests a single one is more than the share."""


class StampError(Struct, frozen=True, kw_only=True):
    """What the calibration before the race found; see the event `racelog.events.Calibration`."""

    streams: int
    tokens: int
    tokens_per_s: float
    p50_us: float
    p99_us: float
    max_us: float
    coalesced_share: float
    stamp: str
    tls: bool
    truth_p99_us: float | None

    @property
    def over(self) -> str:
        """What the streams of the calibration came over, which need not be what the engine's do."""
        return "TLS" if self.tls else "plain HTTP"


class LaneHealth(Struct, frozen=True, kw_only=True):
    """One lane's evidence and what the rules make of it; ``client_limited`` is None where there is no evidence.

    ``full_share`` is the share of readings that were full (see `racelog.replay.health`), ``late_send_share`` that of requests
    an open loop sent late by its own doing, None for a closed one; shares are 0 to 1. ``late_start_ms`` is how long after the
    agreed instant the lane began, None where none was agreed; ``longest_lag_ms`` the longest that its loop was ever late.
    """

    lane: int
    engine: str
    client_limited: bool | None
    reasons: list[str]
    samples: int
    cpu_pct_p50: float | None
    full_share: float | None
    loop_lag_p95_us: float | None
    loop_lag_p99_us: float | None
    longest_lag_ms: float | None
    late_start_ms: float | None
    coalesced_share: float | None
    user_share: float | None
    sends: int
    late_send_share: float | None
    most_waiting: int
    lost_chunks: int
    lost_events: int
    crowded_out: int
    calibration: StampError | None


class RaceHealth(Struct, frozen=True, kw_only=True):
    """The verdict on the whole race: limited when any lane was. ``reasons`` name their lanes."""

    client_limited: bool | None
    reasons: list[str]
    lanes: list[LaneHealth]


def race_health(replay: Replay) -> RaceHealth:
    """Return the verdict of everything up to where ``replay`` stands. Cost: microseconds a lane."""
    lanes = [_lane_health(fold, replay.tracks) for fold in replay.lanes.values()]
    judged = [lane.client_limited for lane in lanes if lane.client_limited is not None]
    return RaceHealth(
        client_limited=any(judged) if judged else None,
        reasons=[why for lane in lanes for why in lane.reasons],
        lanes=lanes,
    )


def clock_checked(found: StampError) -> str:
    """Return in words what a calibration found: by how much a token's time may be wrong (p99)."""
    return f"clock checked, +-{duration(found.p99_us / 1000)}"


def health_line(health: RaceHealth) -> str:
    """Return the verdict in one line, empty where there is none; engines' names in it are as the log has them."""
    if health.client_limited is None:
        return ""
    if health.client_limited:
        return f"{TOO_SLOW} - {'; '.join(health.reasons)}"
    worst = max(
        (lane.calibration for lane in health.lanes if lane.calibration),
        key=lambda found: found.p99_us,
        default=None,
    )
    if worst is None:
        return "the recorder kept up (its clock was not checked)"
    return (
        f"the recorder kept up: {clock_checked(worst)} (p99) at {counted(worst.streams, 'stream')}"
        f"{' over TLS' if worst.tls else ''}"
    )


def full(lane: LaneHealth) -> str:
    """The lane's process used 90 % of a core or more, and its loop was late, in a tenth of the readings.

    One Python process has one core to receive with; when that is full, what arrives waits. A tenth of the race is
    what moves a p90.
    """
    if lane.samples < LEAST_SAMPLES or lane.full_share is None or lane.full_share < FULL_SHARE:
        return ""
    return f"recorder too busy: its CPU was full for {percent(lane.full_share)} of {lane.engine}'s race"


def late_stamps(lane: LaneHealth) -> str:
    """The loop woke more than 5 ms late (p99) while the stamps were its own.

    A user stamp is taken when the loop gets to it, so its error is the loop's lag. 5 ms is a quarter of the 20 ms
    between two tokens at 50 tokens/s. A kernel stamp does not depend on the loop.
    """
    lag = lane.loop_lag_p99_us
    if (
        lane.samples < LEAST_SAMPLES
        or lag is None
        or lag <= LOOP_LAG_US
        or (lane.user_share or 0.0) <= USER_SHARE
    ):
        return ""
    return f"recorder too busy: {lane.engine}'s token times are up to {duration(lag / 1000)} late (p99)"


def late_reading(lane: LaneHealth) -> str:
    """More than 5 % of the token chunks were read together with a later one, and the loop was late to read them.

    A kernel stamps a read by its last segment, so the earlier chunks in it have only a bound. Of 46,000 tokens/s on a
    core that kept up 0.9 % were coalesced (docs/metrics.md#coalesced). Servers and proxies join chunks themselves: only where the
    loop lagged 2 ms or more in a twentieth of the readings (one of them is a timer's rounding) was it the client.
    """
    share, lag = lane.coalesced_share, lane.loop_lag_p95_us
    if (
        lane.samples < LEAST_SAMPLES
        or share is None
        or share <= COALESCED_SHARE
        or lag is None
        or lag <= LATE_LOOP_US
    ):
        return ""
    return f"recorder too busy: {percent(share)} of {lane.engine}'s token times are late"


def late_start(lane: LaneHealth) -> str:
    """It began a quarter of a second after the instant that was agreed for it, or later.

    Beside others it then raced alone at its end, with a machine that they had left; a lane's alarm is right to the
    millisecond, so it was stopped, or kept from every core.
    """
    if lane.late_start_ms is None or lane.late_start_ms < LATE_START_MS:
        return ""
    return f"recorder stopped: {lane.engine} started {duration(lane.late_start_ms)} late"


def stood_still(lane: LaneHealth) -> str:
    """Its event loop did nothing for a second or more, once. Nothing was sent meanwhile, and what came was not read.

    No share of the readings tells that: a process that is stopped takes none.
    """
    if lane.longest_lag_ms is None or lane.longest_lag_ms < STOOD_STILL_MS:
        return ""
    return f"recorder stopped: {lane.engine}'s recorder stood still for {duration(lane.longest_lag_ms)}"


def late_sends(lane: LaneHealth) -> str:
    """More than 5 % of an open loop's requests left 5 ms or more after they were due, and not for want of room.

    What follows from a schedule that is not kept is no longer the load that was asked for: the server answers fewer at
    a time, and looks faster than it is (Schroeder et al., "Open Versus Closed: A Cautionary Tale", NSDI 2006). A
    twentieth of the requests is what moves a p95 of what their users would have waited (``queue_ms`` + ``ttft_ms``).
    """
    share = lane.late_send_share
    if lane.samples < LEAST_SAMPLES or share is None or lane.sends < LEAST_SENDS or share <= LATE_SEND_SHARE:
        return ""
    return f"recorder too busy: {percent(share)} of {lane.engine}'s requests left more than {tick(LATE_SEND_NS / NS_PER_MS)} ms late"


def lost(lane: LaneHealth) -> str:
    """Anything was lost: the queue to the disk was full and facts were dropped. One is too many."""
    if not lane.lost_chunks and not lane.lost_events:
        return ""
    return f"the recorder lost {counted(lane.lost_chunks, 'chunk')} and {counted(lane.lost_events, 'event')} of {lane.engine}"


def crowded_out(lane: LaneHealth) -> str:
    """Requests failed because this machine had no port or open file left for them. One is too many."""
    if not lane.crowded_out:
        return ""
    return f"{counted(lane.crowded_out, 'request')} to {lane.engine} failed: no free port or open file on this machine"


def uncalibrated(lane: LaneHealth) -> str:
    """The calibration's p99 was above 1 ms, the truth server's own error taken off.

    1 ms is this project's budget for stamps without a kernel's help (docs/metrics.md#was-it-the-recorder), twenty times what it has with it.
    """
    found = lane.calibration
    if found is None or found.p99_us - (found.truth_p99_us or 0.0) <= CALIBRATION_P99_US:
        return ""
    return (
        f"in the clock check before the race {lane.engine}'s token times were {duration(found.p99_us / 1000)} late (p99) "
        f"at {counted(found.streams, 'stream')}"
    )


Rule = Callable[[LaneHealth], str]
RULES: tuple[Rule, ...] = (
    lost,
    crowded_out,
    late_start,
    stood_still,
    full,
    late_sends,
    late_stamps,
    late_reading,
    uncalibrated,
)
"""Each returns a reason, or nothing; the gravest first."""


def _lane_health(fold: LaneFold, tracks: RaceTracks) -> LaneHealth:
    race = tracks.facts
    health, facts = fold.health, fold.track.facts
    chunks = sum(fold.stamps.values())
    evidence = LaneHealth(
        lane=facts.lane, engine=facts.engine, client_limited=None, reasons=[], samples=health.samples,
        cpu_pct_p50=median(health.cpu_pct), full_share=health.full / health.samples if health.samples else None,
        loop_lag_p95_us=quantile(health.loop_lag_us, 0.95), loop_lag_p99_us=quantile(health.loop_lag_us, 0.99),
        longest_lag_ms=health.loop_lag_us[-1] / 1000 if health.loop_lag_us else None, late_start_ms=_late_start_ms(fold, tracks),
        coalesced_share=_stamp_share(fold, chunks, lambda _who, joined: joined),
        user_share=_stamp_share(fold, chunks, lambda who, _joined: who == "user"),
        sends=fold.sends, late_send_share=_late_send_share(fold, race), most_waiting=round(health.most_waiting), lost_chunks=health.lost_chunks, lost_events=health.lost_events,
        crowded_out=fold.errors.get("client_limit", 0),
        calibration=_stamp_error(health.track.calibration),
    )  # fmt: skip
    reasons = [why for rule in RULES if (why := rule(evidence))]
    told = bool(reasons or evidence.samples or evidence.calibration)
    return replace(evidence, reasons=reasons, client_limited=bool(reasons) if told else None)


def _late_start_ms(fold: LaneFold, tracks: RaceTracks) -> float | None:
    """Return how long after the agreed instant the lane began, pauses taken off; None before that."""
    start_ns, agreed = fold.track.start_ns, agreed_starts(tracks)
    at_ns = agreed.get(fold.track.facts.lane, agreed.get(None))
    if start_ns is None or at_ns is None or start_ns > fold.position_ns:
        return None
    paused_ns = sum(
        max(0, min(start_ns, start_ns if to is None else to) - max(at_ns, since))
        for since, to in held(tracks)
    )
    return (start_ns - at_ns - paused_ns) / NS_PER_MS


def _late_send_share(fold: LaneFold, race: RaceFacts | None) -> float | None:
    """Return the share of an open loop's requests that were late though there was room for them under ``max_open``."""
    if race is None or race.rate_per_s is None or not fold.sends:
        return None
    late = sum(n for ahead, n in fold.late_sends.items() if race.max_open is None or ahead < race.max_open)
    return late / fold.sends


def _stamp_share(fold: LaneFold, chunks: int, wanted: Callable[[str, bool], bool]) -> float | None:
    """Return the share of the race's token chunks whose stamp is ``wanted``."""
    found = sum(
        count
        for letter, count in fold.stamps.items()
        if letter in STAMP_CODES and wanted(*STAMP_CODES[letter])
    )
    return found / chunks if chunks else None


def _stamp_error(event: Calibration | None) -> StampError | None:
    if event is None:
        return None
    return StampError(
        streams=event.streams, tokens=event.tokens, tokens_per_s=event.tokens_per_s, p50_us=event.p50_us,
        p99_us=event.p99_us, max_us=event.max_us, coalesced_share=event.coalesced / event.tokens if event.tokens else 0.0,
        stamp=event.stamp, tls=event.tls, truth_p99_us=event.truth_p99_us,
    )  # fmt: skip
