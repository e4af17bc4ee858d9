"""What stands around a request's tokens: the role that opens a stream, the finish and the usage that close it.

Only dialects need it: some tools time the first chunk of any kind, or count the finish as one more gap.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from racelog.events import TOKEN_CODES
from racelog.replay.request import RequestState
from racelog.replay.track import LaneTrack


@dataclass(slots=True)
class Frame:
    """Chunks without text before and after a request's tokens, and when its first and last chunk arrived.

    The message that carries nothing but usage closes a stream and is not counted.
    """

    first_ns: int | None = None
    last_ns: int | None = None
    lead: int = 0
    trail: int = 0


def frames(track: LaneTrack, requests: Iterable[RequestState]) -> dict[int, Frame]:
    """Return the frame of each request of one lane. Cost: one step per chunk without text, and two sorts."""
    states = {state.req: state for state in requests}
    found = {req: Frame(state.t_first, state.t_last) for req, state in states.items()}
    owner = np.array(track.request, dtype=np.int64)
    bare = ~np.isin(np.array(track.kind, dtype="U1"), sorted(TOKEN_CODES))
    last_row = _last_rows(owner, np.arange(len(owner)))
    token_rows = np.flatnonzero(~bare)
    last_token = _last_rows(owner[token_rows], token_rows)
    first_token = _last_rows(owner[token_rows][::-1], token_rows[::-1])
    for row in np.flatnonzero(bare).tolist():
        req = track.request[row]
        if req not in found or _is_usage(track, row, last_row[req], states[req]):
            continue
        frame, t = found[req], track.t[row]
        if row < first_token.get(req, len(owner)):
            frame.lead += 1
            frame.first_ns = t if frame.first_ns is None else min(frame.first_ns, t)
        elif row > last_token[req]:
            frame.trail += 1
        frame.last_ns = t if frame.last_ns is None else max(frame.last_ns, t)
    return found


def _last_rows(owner: Any, rows: Any) -> dict[int, int]:
    """Return the last of ``rows`` that each owner has; both are integer arrays."""
    return dict(zip(owner.tolist(), rows.tolist(), strict=True))


def _is_usage(track: LaneTrack, row: int, last_row: int, state: RequestState) -> bool:
    """Return whether a chunk is the message that carries usage alone: the last one, where usage was sent."""
    return row == last_row and track.kind[row] == "m" and state.usage_tokens is not None
