"""The rows of a race that still grows: told on from where the last question left off, and not anew. Pure; no files.

What lies before a position that every lane has passed is settled: its rows are given once, to be kept by whoever asks.
Each question folds what came since, and gives the rows after that position together with the few that speak of the
whole race. What belongs before it and comes late raises `OvertakenError`, so lateness costs time and no truth.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from racelog.clock import NS_PER_S
from racelog.events import RequestEvent, Tokens
from racelog.log.format.codec import MAX_T_NS, OrderedEvent
from racelog.log.read.reader import LogReport, RaceLog
from racelog.log.rows.chunks import ChunkRow, columns
from racelog.log.rows.samples import Samples
from racelog.log.rows.window import part_between
from racelog.query.contract.tables import Batch, Columns
from racelog.query.incremental.checkpoint import CONTEXT, Cut, Entries, OvertakenError, check_holds
from racelog.query.incremental.state_codec import packed, unpacked
from racelog.query.project.project import (
    race_id_of,
    requests_columns,
    samples_batches,
    standing_positions,
    standing_step_ns,
    standings_columns,
    tokens_columns,
    whole_batches,
)
from racelog.query.project.story import LONGEST_STORY_S, told_batches
from racelog.replay.lane import LaneFold
from racelog.replay.race import RaceTracks, Replay
from racelog.replay.track import LaneTrack
from racelog.views.story.causes import reading_of
from racelog.views.story.engine import Telling
from racelog.views.story.happenings import Beat, beats_of_lane, beats_of_request, in_order, seconds_between
from racelog.views.story.rules import RULES

MARGIN_NS = 2 * NS_PER_S
"""A lane's last word is this old before what lies earlier is settled, as for `racelog.views.story.live`."""

SETTLE_NS = 5 * NS_PER_S
"""So much more must be settled before it is kept: what is not is read again at each question, and keeping has a price."""

LOOK_BACK_NS = 60 * NS_PER_S
"""The longest stretch over which a rule counts token chunks (`racelog.views.story.achievements`)."""

SILENT_NS = 60 * NS_PER_S
"""A source of readings not heard of for as long as the slowest flush (`racelog record --flush`) is waited for no more."""


@dataclass(frozen=True, slots=True)
class Grown:
    """Rows of a growing race after what is kept: ``settled`` ones for good, ``fresh`` ones as things stand.

    With ``cut`` the settled ones are to be kept; without one there are none.
    """

    settled: list[Batch]
    fresh: list[Batch]
    cut: Cut | None


def grow(path: Path, known: Cut | None, new: list[OrderedEvent]) -> Grown:
    """Return the rows of the race at ``path`` after ``known``, which was made of all but ``new``; None: from its start.

    Cost: what is new, and what was not settled before.

    Raises:
        OvertakenError: what is settled no longer holds, or nothing of this race can ever be.
        GraphError, LogError: ``known`` is not whole.
        OverflowError, ValueError: as `racelog.query.project.project.race_batches`.
    """
    if RULES.installed():
        raise OvertakenError("what rules of other packages remember is not kept from question to question")
    context = known.context.entries() if known else []
    tail = known.tail.entries() if known else []
    if known is not None:
        check_holds(known, context, tail, new)
    return _Growing(path, known, context, sorted([*tail, *new], key=_key)).grown()


def _key(entry: OrderedEvent) -> tuple[int, int, int, int]:
    return entry[:4]


class _Growing:
    """One question: tracks of what is not settled, and two replays of them from the cut."""

    def __init__(
        self, path: Path, known: Cut | None, context: list[OrderedEvent], later: list[OrderedEvent]
    ) -> None:
        self._path, self._known = path, known
        self._told_before = {id(entry[4]) for entry in context}
        self._entries = sorted([*context, *later], key=_key)
        self.tracks = RaceTracks(entry[4] for entry in self._entries)
        self._since_ns = -1 if known is None else known.position_ns
        self._replay, self._end = Replay(self.tracks), Replay(self.tracks)
        self._telling = Telling(self.tracks) if known is None else self._resumed(known)
        self._end.seek_end()
        self._duration_ns = self.tracks.duration_ns()
        if self._duration_ns > LONGEST_STORY_S * NS_PER_S:
            raise OvertakenError("a race of more than a week has no story to be told on")
        if known is not None and known.step_ns != standing_step_ns(self._duration_ns):
            raise OvertakenError("standings are told in longer steps now")

    def _resumed(self, known: Cut) -> Telling:
        """Put both replays where the cut is; return the story's rules as they stood there."""
        lanes = self.tracks.lanes
        for lane, track in lanes.items():
            track.preceded_by(array("q", known.token_t[lane]), known.last_ns[lane])
        folds, telling = unpacked(known.graph, {name: one for one, name in self._references()})
        for lane, fold in folds.items():
            fold.stand_on(lanes[lane])
        self._replay.stand_on(folds, self._since_ns)
        self._end.stand_on({lane: fold.copy() for lane, fold in folds.items()}, self._since_ns)
        assert isinstance(telling, Telling)
        return telling

    def _references(self) -> Iterator[tuple[object, str]]:
        """Yield what folds and rules refer to, with its name."""
        yield self.tracks, "tracks"
        for lane, track in self.tracks.lanes.items():
            yield track, f"track {lane}"
            yield track.health, f"health {lane}"

    def grown(self) -> Grown:
        """Return the rows; the state of folds and rules is used up."""
        horizon = self._horizon_ns()
        settles = horizon - self._since_ns >= SETTLE_NS and self._is_worth_it(horizon)
        upto = horizon if settles else self._since_ns
        rows, standings = self._rows(upto), self._standings(upto)
        told, graph, telling = self._tell(upto, keep=settles)
        settled, fresh = [*rows[0], *standings[0], *told], [*rows[1], *standings[1], *telling]
        if settles:
            return Grown(settled, fresh, self._cut(upto, graph))
        return Grown([], [*settled, *fresh], None)

    def _horizon_ns(self) -> int:
        """Return the position up to which everything is recorded, as far as can be known; below 0 before all have started."""
        tracks = self.tracks
        lanes = list(tracks.lanes.values())
        if not lanes or any(track.start_ns is None for track in lanes) or tracks.nameless:
            return -1  # the facts of a lane that is called by its number may still come
        known = [
            tracks.position_ns(track, track.last_ns) - MARGIN_NS for track in lanes if track.end_ns is None
        ]
        known += [
            tracks.position_ns(fold.track, request.t_scheduled) - 1  # its beat moves to where it is sent
            for fold in self._end.lanes.values()
            for request in fold.open.values()
            if request.t_sent is None
        ]
        origin = max(map(tracks.origin_ns, lanes))
        latest = max(track.last_ns for track in lanes)
        known += [last - origin - 1 for last in self._readings_last().values() if last > latest - SILENT_NS]
        return min(self._duration_ns - 1, *known) if known else self._duration_ns - 1

    def _readings_last(self) -> dict[tuple[str, str, int], int]:
        """Return the instant of the last reading of each GPU, each engine and the machine."""
        last: dict[tuple[str, str, int], int] = {}
        events: list[Samples] = [*self.tracks.gpu, *self.tracks.engine, *self.tracks.host]
        for event in events:
            if (key := reading_of(event)) is not None:
                last[key] = max(last.get(key, _ends(event)), _ends(event))
        return last

    def _is_worth_it(self, upto_ns: int) -> bool:
        """Return whether more is settled than left over; of a time trial's first lanes little is, for long."""
        chunks = left = 0
        until = self._until(upto_ns)
        for lane, track in self.tracks.lanes.items():
            later = track.token_chunks_between(until[lane], track.last_ns)
            chunks += track.token_chunks_between(self._known_until(lane), track.last_ns) - later
            left += later
        return chunks >= left

    def _rows(self, upto_ns: int) -> tuple[list[Batch], list[Batch]]:
        """Return the rows that are settled at a position and those that are not, but for the story and the standings."""
        race_id = race_id_of(self.tracks)
        fresh = whole_batches(race_id, RaceLog(self._path, [], LogReport()), self._end)
        settled: list[Batch] = []
        for table, found, done in (self._requests(race_id, upto_ns), *self._tokens(race_id, upto_ns)):
            settled.append((table, _only(found, done)))
            fresh.append((table, _only(found, ~done)))
        known: list[Samples] = [*self.tracks.host, *self.tracks.gpu, *self.tracks.engine]
        readings = [event for event in known if id(event) not in self._told_before]
        first = min(self._until(upto_ns).values(), default=-MAX_T_NS)
        settled += samples_batches(race_id, (event for event in readings if _ends(event) <= first))
        fresh += samples_batches(race_id, (event for event in readings if _ends(event) > first))
        return settled, fresh

    def _requests(self, race_id: str, upto_ns: int) -> tuple[str, Columns, Any]:
        """Return the rows of requests, and which of them have ended by a position."""
        found, until = requests_columns(race_id, self._end), self._until(upto_ns)
        ends = zip(found["lane_id"], found["t_end_ns"], strict=True)
        done = [end is not None and end <= until[lane] for lane, end in ends]
        return "requests", found, np.array(done, dtype=np.bool_)

    def _tokens(self, race_id: str, upto_ns: int) -> Iterator[tuple[str, Columns, Any]]:
        """Yield each lane's rows of token chunks after the cut, and which of them are up to a position."""
        for lane, track in self.tracks.lanes.items():
            found = tokens_columns(race_id, track)
            found = _only(found, found["t_ns"] > self._known_until(lane))
            yield "tokens", found, found["t_ns"] <= self._until(upto_ns)[lane]

    def _until(self, position_ns: int) -> dict[int, int]:
        """Return the instant that a position is on each lane."""
        return {lane: self.tracks.origin_ns(track) + position_ns for lane, track in self.tracks.lanes.items()}

    def _known_until(self, lane: int) -> int:
        """Return the instant up to which a lane's rows are settled already."""
        return self._known.until_ns[lane] if self._known else -MAX_T_NS

    def _standings(self, upto_ns: int) -> tuple[list[Batch], list[Batch]]:
        """Return the standings up to a position, and those after it; the folds are left at the position."""
        race_id = race_id_of(self.tracks)
        positions = [p for p in standing_positions(self._duration_ns) if p > self._since_ns]
        settled = standings_columns(race_id, self._replay, [p for p in positions if p <= upto_ns])
        if upto_ns > self._since_ns:
            self._replay.seek(upto_ns)
        onward = Replay(self.tracks)
        onward.stand_on({lane: fold.copy() for lane, fold in self._replay.lanes.items()}, upto_ns)
        fresh = standings_columns(race_id, onward, [p for p in positions if p > upto_ns])
        return [("standings", settled)], [("standings", fresh)]

    def _tell(self, upto_ns: int, *, keep: bool) -> tuple[list[Batch], Any, list[Batch]]:
        """Return the story up to a position, folds and rules as they stand there as data, and the story after it."""
        race_id = race_id_of(self.tracks)
        beats = sorted(self._beats(), key=in_order)
        after = sum(beat.position_ns <= upto_ns for beat in beats)
        for beat in beats[:after]:
            self._telling.step(beat)
        settled = told_batches(race_id, self._telling.told())
        names = {id(one): name for one, name in self._references()}
        graph = packed([self._folds(), self._telling], names) if keep else None
        for beat in beats[after:]:
            self._telling.step(beat)
        return settled, graph, told_batches(race_id, self._telling.finish())

    def _beats(self) -> list[Beat]:
        """Return the beats after the cut, in any order."""
        beats = seconds_between(max(0, self._since_ns), self._duration_ns)
        for lane, fold in self._end.lanes.items():
            origin = self.tracks.origin_ns(fold.track)
            beats += beats_of_lane(fold.track, lane, origin)
            if fold.track.start_ns is not None:
                for request in fold.requests.values():
                    beats += beats_of_request(request, lane, origin)
        return [beat for beat in beats if beat.position_ns > self._since_ns]

    def _folds(self) -> dict[int, LaneFold]:
        """Return what is worth keeping of the folds where the first replay stands."""
        folds = {lane: fold.without_ended() for lane, fold in self._replay.lanes.items()}
        for fold in folds.values():
            # A lane that has ended is never sought beyond its last instant at a race's end: nothing lies between.
            fold.position_ns = min(fold.position_ns, fold.track.last_ns)
        return folds

    def _cut(self, position_ns: int, graph: Any) -> Cut:
        """Return what the next question needs; the first replay stands at ``position_ns``."""
        until, tracks = self._until(position_ns), self.tracks.lanes
        told = {lane: self._ended(lane, until[lane]) for lane in tracks}
        before = self._known.ended if self._known else {}
        ended = {lane: sorted({*before.get(lane, ()), *told[lane]}) for lane in tracks}
        folds = self._replay.lanes
        prompts = {fold.requests[req].prompt for lane, fold in self._end.lanes.items() for req in told[lane]}
        unprompted = {
            *(self._known.unprompted if self._known else ()),
            *(prompts - self.tracks.prompts.keys()),
        }
        return Cut(
            position_ns=position_ns, step_ns=standing_step_ns(self._duration_ns), until_ns=until,
            last_ns={lane: track.last_ns for lane, track in tracks.items()},
            ended=ended,
            open={lane: list(fold.open) for lane, fold in folds.items()},
            sent={lane: [req for req, request in fold.open.items() if request.t_sent is not None] for lane, fold in folds.items()},
            token_t={lane: _between(track.token_t, until[lane] - LOOK_BACK_NS, until[lane]) for lane, track in tracks.items()},
            unprompted=sorted(unprompted), graph=graph,
            context=Entries.of([*self._context(until), *self._open_chunks(until, ended)]),
            tail=Entries.of(self._tail(until)),
        )  # fmt: skip

    def _ended(self, lane: int, until_ns: int) -> list[int]:
        """Return the requests of a lane that have ended by an instant."""
        requests = self._end.lanes[lane].requests.values()
        return [one.req for one in requests if one.t_end is not None and one.t_end <= until_ns]

    def _context(self, until: dict[int, int]) -> list[OrderedEvent]:
        """Return what concerns the whole race, and each source's last reading: what else is up to the cut, the rows have."""
        first = min(until.values())
        readings = {
            key: entry
            for entry in self._entries
            if isinstance(entry[4], Samples)
            and _ends(entry[4]) <= first
            and (key := reading_of(entry[4])) is not None
        }
        facts = [entry for entry in self._entries if isinstance(entry[4], CONTEXT)]
        return sorted([*facts, *readings.values()], key=_key)

    def _open_chunks(self, until: dict[int, int], ended: dict[int, list[int]]) -> list[OrderedEvent]:
        """Return, lane by lane, the chunks up to the cut of requests whose rows are not told."""
        found: list[OrderedEvent] = []
        for lane, track in self.tracks.lanes.items():
            rows = _rows_of_others(track, until[lane], ended[lane])
            if rows:
                found.append((rows[0][0], 0, 0, lane, columns(lane, rows)))
        return found

    def _tail(self, until: dict[int, int]) -> Iterator[OrderedEvent]:
        """Yield the events that are not settled, those of chunks with what of them is not."""
        first = min(until.values())
        for t, writer, seq, place, event in self._entries:
            if isinstance(event, Tokens):
                later = part_between(event, until[event.lane] + 1, MAX_T_NS + 1)
            elif isinstance(event, RequestEvent):
                later = event if event.t > until[event.lane] else None
            else:
                later = event if isinstance(event, Samples) and _ends(event) > first else None
            if later is not None:
                yield t, writer, seq, place, later


def _ends(event: Samples) -> int:
    """Return the instant of an event's last reading."""
    return event.t + sum(event.d)


def _only(found: Columns, wanted: Any) -> Columns:
    """Return the rows of columns for which a boolean array says so."""
    rows = np.flatnonzero(wanted).tolist()
    return {
        name: [column[row] for row in rows] if isinstance(column, list) else column[wanted]
        for name, column in found.items()
    }


def _between(times: "array[int]", after_ns: int, until_ns: int) -> bytes:
    """Return the instants in (after, until] as bytes."""
    return times[bisect_right(times, after_ns) : bisect_right(times, until_ns)].tobytes()


def _rows_of_others(track: LaneTrack, until_ns: int, requests: Iterable[int]) -> list[ChunkRow]:
    """Return a lane's chunks up to an instant of other requests than these."""
    count = bisect_right(track.t, until_ns)
    owner = np.array(track.request[:count], dtype=np.int64)
    rows = np.flatnonzero(~np.isin(owner, np.array(list(requests), dtype=np.int64))).tolist()
    return [
        (
            track.t[row],
            track.request[row],
            track.text[row],
            track.kind[row],
            track.tokens[row],
            track.stamp[row],
        )
        for row in rows
    ]
