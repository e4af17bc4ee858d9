"""The requests of each lane that ended last, newest last: what a screen shows beside the answers that stream."""

from msgspec import Struct

from racelog.replay.lane import LaneFold
from racelog.replay.request import RequestState
from racelog.views.faults import said

SHOWN = 40
"""So many requests of a lane are remembered: more rows no box has."""


class Ended(Struct, frozen=True, kw_only=True):
    """One request that ended: how, and its times; ``error`` says why it did not end well."""

    req: int
    status: str
    ttft_ms: float | None
    e2e_ms: float | None
    tokens: int
    error: str


class Recent:
    """Gives a lane's last ended requests where a fold stands. Cost: those that ended since the last time."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[RequestState | None, int, list[Ended]]] = {}

    def of(self, fold: LaneFold) -> list[Ended]:
        """Return the lane's last ended requests of the race itself, newest last."""
        last, size = fold.ended[-1] if fold.ended else None, len(fold.ended)
        known = self._known.get(fold.track.facts.lane)
        if known is not None and known[0] is last and known[1] == size:
            return known[2]
        raced = [one for one in fold.ended[-SHOWN:] if one.phase == "race"]
        rows = [_row(one) for one in raced]
        self._known[fold.track.facts.lane] = last, size, rows
        return rows


def _row(one: RequestState) -> Ended:
    return Ended(
        req=one.req, status=one.status, ttft_ms=one.ttft_ms, e2e_ms=one.e2e_ms, tokens=one.output_tokens,
        error=(said(one.message) or one.error or "no reason recorded") if one.status == "failed" else "",
    )  # fmt: skip
