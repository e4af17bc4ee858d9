"""The legal life of a request, and a checker that finds the requests of a log that break it.

    scheduled -> sent -> headers -> first chunk -> last chunk -> end

Any of them may be missing after `scheduled` (a request can fail before it is sent, or never end); those that are
there happen in this order, each once. What nobody scheduled does not exist. One exception: a request may be sent
again on a ``reopened`` connection, and its last send counts.
"""

from itertools import pairwise

from racelog.events import AnyEvent, RequestEnd, RequestScheduled, RequestSent, ResponseHeaders, Tokens, Usage

MILESTONES = ("scheduled", "sent", "headers", "first chunk", "last chunk", "end")
"""In legal order; equal times are legal."""

_ONCE: dict[type, str] = {
    RequestScheduled: "scheduled",
    RequestSent: "sent",
    ResponseHeaders: "headers",
    RequestEnd: "end",
}

RequestKey = tuple[int, int]
"""(lane, request)."""


class LifecycleChecker:
    """Takes a log's events in any order; `problems` says which requests cannot have happened so."""

    def __init__(self) -> None:
        self._times: dict[RequestKey, dict[str, int]] = {}
        self._problems: list[str] = []

    def take(self, event: AnyEvent) -> None:
        """Note what ``event`` says of its requests. Cost: one step per chunk."""
        if isinstance(event, Tokens):
            self._take_chunks(event)
        elif isinstance(event, Usage):
            self._times.setdefault((event.lane, event.req), {})
        elif isinstance(event, RequestScheduled | RequestSent | ResponseHeaders | RequestEnd):
            milestone = _ONCE[type(event)]
            times = self._times.setdefault((event.lane, event.req), {})
            again = isinstance(event, RequestSent) and event.connection == "reopened"
            if milestone in times and not again:
                self._problems.append(f"lane {event.lane}, request {event.req}: {milestone} twice")
            times[milestone] = max(event.t, times.get(milestone, event.t))

    def _take_chunks(self, batch: Tokens) -> None:
        t = batch.t
        for request, delta in zip(batch.r, batch.d, strict=True):
            t += delta
            times = self._times.setdefault((batch.lane, request), {})
            if t < times.get("first chunk", t + 1):
                times["first chunk"] = t
            if t > times.get("last chunk", t - 1):
                times["last chunk"] = t

    def problems(self, *, with_gaps: bool = False) -> list[str]:
        """Return one line per broken rule, in a stable order.

        In a log ``with_gaps``, what was scheduled may be among the lost: a missing beginning breaks no rule.
        """
        found = list(self._problems)
        for (lane, request), times in self._times.items():
            if with_gaps and "scheduled" not in times:
                continue
            found += [f"lane {lane}, request {request}: {broken}" for broken in _broken_rules(times)]
        return sorted(found)


def _broken_rules(times: dict[str, int]) -> list[str]:
    if "scheduled" not in times:
        known = ", ".join(milestone for milestone in MILESTONES if milestone in times) or "usage"
        return [f"never scheduled, yet there is: {known}"]
    present = [(milestone, times[milestone]) for milestone in MILESTONES if milestone in times]
    return [
        f"{later} at {later_t} ns lies before {earlier} at {earlier_t} ns"
        for (earlier, earlier_t), (later, later_t) in pairwise(present)
        if later_t < earlier_t
    ]
