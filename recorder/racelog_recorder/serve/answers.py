"""A recorded race -> per lane the answers that its engine gave, each with its times. Pure.

Times are nanoseconds since the request was sent. What the client cancelled, and what was still open when the log
ended, says nothing of how the engine would have gone on, and is left out.
"""

import difflib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

import msgspec

from racelog.display.text import printable
from racelog.errors import InputError
from racelog.events import LaneFacts, Usage
from racelog.log.read.reader import RaceLog
from racelog.replay.lane import LaneFold
from racelog.replay.race import RaceTracks
from racelog.replay.request import RequestState
from racelog.replay.track import LaneTrack

Outcome = Literal["ok", "refused", "cut"]
"""A whole answer; an HTTP status that is an error; or a connection that broke, with or without a first part."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One recorded answer. Chunk ``i`` arrived at ``delays_ns[i]``, of kind ``kinds[i]``, with ``texts[i]``.

    Kinds are letters of `racelog.events.KIND_CODES`. ``headers_ns`` is None when no response began.
    """

    request: int
    messages: list[dict[str, Any]]
    outcome: Outcome
    status: int
    message: str
    finish_reason: str
    usage: Usage | None
    headers_ns: int | None
    end_ns: int
    delays_ns: "array[int]" = field(repr=False)
    kinds: str = field(repr=False)
    texts: list[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordedLane:
    """One engine of a recorded race and its answers, in the order in which they were asked for."""

    facts: LaneFacts
    answers: tuple[Answer, ...]

    @property
    def model(self) -> str:
        """The model's name as it is served: the recorded one, else the engine's own name."""
        return self.facts.model or self.facts.engine


def recorded_lanes(log: RaceLog, names: Sequence[str] = ()) -> list[RecordedLane]:
    """Return the lanes of ``log``, or those whose engine is in ``names``, in the race's order.

    Cost: one fold over the log.

    Raises:
        InputError: there is no such lane, or none at all.
    """
    tracks = RaceTracks(log.events)
    if not tracks.lanes:
        raise InputError(f"{log.path} holds no lane, so there is nothing to serve")
    engines = [track.facts.engine for track in tracks.lanes.values()]
    for name in names:
        if name not in engines:
            close = difflib.get_close_matches(name, engines, n=1) or engines
            raise InputError(f"no lane {name!r} in this race; there is {printable(', '.join(close))}")
    return [
        RecordedLane(track.facts, _answers(track, tracks))
        for track in tracks.lanes.values()
        if not names or track.facts.engine in names
    ]


class AnswerBook:
    """Which recorded answer comes next, for each conversation and for those never recorded."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._all = answers
        self._by_messages: dict[bytes, list[Answer]] = {}
        self._given: dict[bytes, int] = {}
        for answer in answers:
            self._by_messages.setdefault(_fingerprint(answer.messages), []).append(answer)

    def next(self, messages: list[dict[str, Any]]) -> Answer | None:
        """Return the next answer to ``messages`` in recorded order, then from the start again.

        A conversation that was never recorded gets the lane's next answer in turn. None: there are no answers.
        """
        key = _fingerprint(messages)
        answers: Sequence[Answer] = self._by_messages.get(key, ())
        if not answers:
            key, answers = b"", self._all
        if not answers:
            return None
        turn = self._given.get(key, 0)
        self._given[key] = turn + 1
        return answers[turn % len(answers)]


def _fingerprint(messages: list[dict[str, Any]]) -> bytes:
    """Return what two requests have in common when they say the same: a single text part is that text."""
    return msgspec.json.encode(
        [{**message, "content": _plain(message.get("content"))} for message in messages],
        order="deterministic",
    )


def _plain(content: Any) -> Any:
    match content:
        case [{"type": "text", "text": str(text)}]:
            return text
        case _:
            return content


def _answers(track: LaneTrack, tracks: RaceTracks) -> tuple[Answer, ...]:
    """Return a lane's answers: those of the race itself, or of its warm-up when there are no others."""
    fold = LaneFold(track)
    fold.advance(track.last_ns)
    usable = [request for request in fold.requests.values() if request.status in ("ok", "failed")]
    chosen = [request for request in usable if request.phase == "race"] or usable
    chosen.sort(key=lambda request: (_sent_ns(request), request.req))
    usage = {event.req: event for event in track.events if isinstance(event, Usage)}
    chunks = _chunks_by_request(track)
    return tuple(
        _answer(
            request, track, chunks.get(request.req, []), usage.get(request.req), _messages(request, tracks)
        )
        for request in chosen
    )


def _answer(
    request: RequestState,
    track: LaneTrack,
    chunks: list[int],
    usage: Usage | None,
    messages: list[dict[str, Any]],
) -> Answer:
    """Return one request's answer; ``chunks`` are its rows in the track's columns."""
    sent = _sent_ns(request)
    delays = array("q", (max(0, track.t[i] - sent) for i in chunks))
    headers = None if request.t_headers is None else max(0, request.t_headers - sent)
    end = max(delays[-1] if delays else 0, headers or 0, (request.t_end or sent) - sent)
    return Answer(
        request=request.req,
        messages=messages,
        outcome=_outcome(request),
        status=_servable(request.http_status),
        message=request.message,
        finish_reason=request.finish_reason,
        usage=usage,
        headers_ns=headers,
        end_ns=end,
        delays_ns=delays,
        kinds="".join(track.kind[i] for i in chunks),
        texts=[track.text[i] for i in chunks],
    )


def _servable(status: int | None) -> int:
    """Return a recorded status as one that can carry an answer; what cannot (1xx, 204, 304) was no answer: 502."""
    if status is None:
        return HTTPStatus.OK
    bodiless = status < HTTPStatus.OK or status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    return HTTPStatus.BAD_GATEWAY if bodiless else status


def _outcome(request: RequestState) -> Outcome:
    if request.status == "ok":
        return "ok"
    refused = request.http_status is not None and not 200 <= request.http_status < 300  # noqa: PLR2004 - HTTP success
    return "refused" if refused else "cut"


def _sent_ns(request: RequestState) -> int:
    """Return when a request was sent, or meant to be where it never got that far."""
    return request.t_scheduled if request.t_sent is None else request.t_sent


def _chunks_by_request(track: LaneTrack) -> dict[int, list[int]]:
    rows: dict[int, list[int]] = {}
    for i, request in enumerate(track.request):
        rows.setdefault(request, []).append(i)
    return rows


def _messages(request: RequestState, tracks: RaceTracks) -> list[dict[str, Any]]:
    prompt = tracks.prompts.get(request.prompt)
    return prompt.messages if prompt else []
