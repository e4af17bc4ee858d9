"""A foreign run as the events of a race: pure. The file's name and the tool's stand in them; nothing is made up."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from racelog import __version__
from racelog.clock import rfc3339
from racelog.display.text import counted
from racelog.errors import InputError
from racelog.events import (
    AnyEvent,
    ClockAnchor,
    Head,
    LaneEnd,
    LaneFacts,
    LaneStart,
    Note,
    Prompt,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Usage,
)
from racelog.log.rows.chunks import columns
from racelog_recorder.imports.shape import Call, Run
from racelog_recorder.redaction import without_secrets


@dataclass(frozen=True, slots=True)
class Source:
    """The file that was read: its name without folders, its size, and a hash of its bytes in hexadecimal."""

    name: str
    bytes: int
    hash: str


def race_id(run: Run, source: Source) -> str:
    """Return the race's id: when the run began, and the file's hash. The same file always gives the same id."""
    began = origin_ns(run)
    if run.wall or run.anchor:
        wall = began if run.wall else began + _offset_ns(run)
        stamp = rfc3339(wall)[:19].replace("-", "").replace("T", "-").replace(":", "")
    else:
        stamp = run.date or "00000000-000000"
    return f"{stamp}-{source.hash[:8]}"


def origin_ns(run: Run) -> int:
    """Return the earliest instant of the run on the tool's clock."""
    return min(_begins(call) for track in run.tracks for call in track.calls)


def head(run: Run, source: Source) -> Head:
    """Return the head of the log; where the tool kept no monotonic clock, the race's origin is 0 on it."""
    return Head(
        t=0, race_id=race_id(run, source), writer=f"{int(source.hash[:16], 16) >> 1:016x}", role="seal",
        mono_origin_ns=0 if run.wall else origin_ns(run), racelog_version=__version__,
    )  # fmt: skip


def events(run: Run, source: Source) -> list[AnyEvent]:
    """Return everything the file tells, in time order.

    Raises:
        InputError: its instants contradict each other.
    """
    origin, name = origin_ns(run), race_id(run, source)
    told: list[AnyEvent] = [*_race(run, source, name, origin)]
    prompts: dict[bytes, int] = {}
    for lane, track in enumerate(run.tracks):
        calls = sorted(track.calls, key=lambda call: call.sent_ns)
        told.append(
            LaneFacts(
                t=0, lane=lane, engine=track.label, model=track.model, url=track.url, dialect=track.dialect,
                transport=f"{run.tool} {run.version}".strip(), kept=track.kept,
            )
        )  # fmt: skip
        told.append(LaneStart(t=min(_begins(call) for call in calls) - origin, lane=lane))
        for number, call in enumerate(calls):
            told += _call(lane, number, call, origin, prompts)
        last = max(call.end_ns for call in calls) - origin
        told.append(
            LaneEnd(
                t=last, lane=lane, status="stopped" if track.stopped else "finished", reason=track.stopped
            )
        )
    return sorted(told, key=lambda event: event.t)


def _race(run: Run, source: Source, name: str, origin: int) -> Iterator[AnyEvent]:
    known_wall = run.wall or run.anchor is not None
    wall = origin if run.wall else origin + _offset_ns(run)
    if run.anchor is not None:
        yield ClockAnchor(t=run.anchor[0] - origin, mono_ns=run.anchor[0], wall_ns=run.anchor[1])
    yield RaceFacts(
        t=0, race_id=name, name=f"{run.tool}: {source.name}", started_at=rfc3339(wall) if known_wall else "",
        seed=run.seed or 0, grid="time-trial" if len(run.tracks) > 1 else "together",
        requests=max(sum(call.phase == "race" for call in track.calls) for track in run.tracks),
        concurrency=run.concurrency or 0, rate_per_s=run.rate_per_s, arrival=run.arrival, host=run.host,
        imported_from=run.tool,
        plan={
            "imported": {
                "tool": run.tool, "version": run.version, "kind": run.kind, "file": source.name, "bytes": source.bytes,
                "blake2b": source.hash,
            }
        },
    )  # fmt: skip
    tool = f"{run.tool} {run.version}".strip()
    yield Note(t=0, text=f"imported from {source.name}, {run.kind} of {tool}: times are that tool's own")
    notes = [*run.notes]
    if run.seed is None:
        notes.append("the file does not tell the seed; 0 stands for it")
    yield from (Note(t=0, text=note) for note in notes)


def _call(lane: int, req: int, call: Call, origin: int, prompts: dict[bytes, int]) -> Iterator[AnyEvent]:
    """Yield one request's events; a prompt that was not met before is told first."""
    sent, end = call.sent_ns - origin, call.end_ns - origin
    if end < sent or any(not sent <= chunk[0] - origin <= end for chunk in call.chunks):
        raise InputError(f"request {req}: something arrived before it was sent, or after its end")
    asked = f"{lane} {req}" if call.prompt is None else call.prompt
    key = msgspec.json.encode(asked if call.messages is None else call.messages)
    if key not in prompts:
        prompts[key] = len(prompts)
        if call.messages is not None:
            yield Prompt(t=0, prompt=prompts[key], messages=call.messages)
    yield RequestScheduled(
        t=_begins(call) - origin,
        lane=lane,
        req=req,
        prompt=prompts[key],
        phase=call.phase,
        params=call.params,
    )
    yield RequestSent(t=sent, lane=lane, req=req)
    if call.headers_ns is not None and call.http_status is not None:
        yield ResponseHeaders(t=call.headers_ns - origin, lane=lane, req=req, status=call.http_status)
    if call.chunks:
        rows = [(t - origin, req, text, code, tokens, stamp) for t, code, text, tokens, stamp in call.chunks]
        yield columns(lane, sorted(rows, key=lambda row: row[0]))
    yield from _counts(lane, req, call, end)
    yield RequestEnd(
        t=end, lane=lane, req=req, status=call.status, error=call.error, message=without_secrets(call.message),
        finish_reason=call.finish_reason,
    )  # fmt: skip


def _counts(lane: int, req: int, call: Call, end: int) -> Iterator[Usage]:
    counts: dict[str, Any] = {
        name: getattr(call, name)
        for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "total_tokens")
    }
    if any(count is not None for count in counts.values()):
        yield Usage(t=end, lane=lane, req=req, **counts)


def _begins(call: Call) -> int:
    """Return when a request was due, which is never after it was sent."""
    return call.sent_ns if call.scheduled_ns is None else min(call.scheduled_ns, call.sent_ns)


def _offset_ns(run: Run) -> int:
    return 0 if run.anchor is None else run.anchor[1] - run.anchor[0]


def check(run: Run) -> None:
    """Refuse a run in which there is no race; one in which every request failed is one.

    Raises:
        InputError: it has no request, or answers without the time of a single token.
    """
    calls = [call for track in run.tracks for call in track.calls]
    if not calls:
        raise InputError("there is no request in it")
    if any(code in "crt" for call in calls for _, code, *_ in call.chunks):
        return
    if answered := sum(call.status == "ok" for call in calls):
        raise InputError(
            f"of its {counted(answered, 'answered request')} none has the time of a token: was the answer "
            "streamed, as OpenAI chat or completions?"
        )
