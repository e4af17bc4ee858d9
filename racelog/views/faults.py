"""Failures by kind: how many, and what the first of each said. A fold's result, laid out for every view."""

from collections.abc import Iterable

from msgspec import Struct

from racelog.replay.request import RequestState


class FaultCount(Struct, frozen=True, kw_only=True):
    """Failures of one kind on one lane; a bad HTTP status makes a kind each. ``message`` is the first one's."""

    kind: str
    http_status: int | None
    count: int
    message: str

    @property
    def label(self) -> str:
        """The kind as it is shown: ``http 503``, ``stalled``."""
        return f"{self.kind or 'unnamed'} {self.http_status}" if self.http_status else self.kind or "unnamed"


def fault_counts(requests: Iterable[RequestState]) -> list[FaultCount]:
    """Return the failed ones of ``requests`` by kind, the most frequent first."""
    failed = [request for request in requests if request.status == "failed"]
    failed.sort(key=lambda request: (request.t_end or 0, request.req))
    groups: dict[tuple[str, int | None], list[RequestState]] = {}
    for request in failed:
        status = request.http_status if request.error == "http" else None
        groups.setdefault((request.error, status), []).append(request)
    counts = [
        FaultCount(kind=kind, http_status=status, count=len(members), message=members[0].message)
        for (kind, status), members in groups.items()
    ]
    return sorted(counts, key=lambda fault: (-fault.count, fault.label))
