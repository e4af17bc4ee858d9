"""aiperf's raw records (every stream message with its time) and its records (times of chunks, no text).

Written from aiperf 0.13: ``perf_ns`` is ``time.perf_counter_ns`` of the client, every message of one read shares a
stamp, and ``request_start_ns`` is the calendar at ``start_perf_ns``. What the run was asked to do stands in
``profile_export_aiperf.json`` beside, which is read where it is there.
"""

from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.errors import InputError
from racelog.events import Phase
from racelog.log.format.progress import Progress
from racelog_recorder.dialects.message import Failed, MalformedMessage, Message
from racelog_recorder.dialects.openai import CHAT
from racelog_recorder.dialects.usage import TokenUsage, fuller
from racelog_recorder.imports.reading import document, named, parsed, records
from racelog_recorder.imports.shape import MOST_SECONDS, Call, Chunk, Run, Track, seconds_ns
from racelog_recorder.imports.urls import harmless_url, harmless_values

SUMMARY = "profile_export_aiperf.json"

_IN_STREAM = "SSEResponseError"
"""What aiperf calls an error that the server told inside a stream (`aiperf.common.exceptions`)."""

_REFUSED = 400
"""From here on a status of HTTP is an error."""

Instant = Annotated[int, Meta(ge=0, le=MOST_SECONDS * NS_PER_S)]
Count = Annotated[int, Meta(ge=0, le=2**53)] | None


class _Metadata(Struct, frozen=True):
    request_start_ns: Instant
    request_end_ns: Instant
    credit_issued_ns: Instant | None = None
    request_ack_ns: Instant | None = None
    benchmark_phase: str = "profiling"
    was_cancelled: bool = False


class _Error(Struct, frozen=True):
    message: str = ""
    code: int | None = None
    type: str | None = None


class _Packet(Struct, frozen=True):
    name: str = ""
    value: str | None = None


class _Response(Struct, frozen=True):
    perf_ns: Instant
    packets: list[_Packet] | None = None


class _Raw(Struct, frozen=True):
    metadata: _Metadata
    start_perf_ns: Instant
    responses: list[_Response]
    payload: dict[str, Any] | None = None
    status: int | None = None
    error: _Error | None = None


class _Metric(Struct, frozen=True):
    value: Any
    unit: str = ""


class _Record(Struct, frozen=True):
    metadata: _Metadata
    metrics: dict[str, _Metric]
    error: _Error | None = None


class _Endpoint(Struct, frozen=True):
    urls: list[str] = []
    type: str = ""


class _Named(Struct, frozen=True):
    name: str = ""


class _Models(Struct, frozen=True):
    items: list[_Named] = []


class _Phase(Struct, frozen=True):
    kind: str = ""
    concurrency: int | None = None


class _Config(Struct, frozen=True):
    endpoint: _Endpoint = _Endpoint()
    models: _Models = _Models()
    phases: list[_Phase] = []


class _RunInfo(Struct, frozen=True):
    random_seed: int | None = None


class _Summary(Struct, frozen=True):
    aiperf_version: str = ""
    input_config: _Config = _Config()
    run_info: _RunInfo = _RunInfo()


_raw = msgspec.json.Decoder(_Raw)
_record = msgspec.json.Decoder(_Record)
_summary = msgspec.json.Decoder(_Summary)


def read_raw(path: Path, progress: Progress) -> list[Run]:
    """Return the run in a ``profile_export_raw.jsonl``.

    Raises:
        InputError: it is not what aiperf writes.
    """
    calls: list[Call] = []
    notes: list[str] = []
    model, dialect = "", "openai-chat"
    anchor = None
    for _, record in records(_raw, path, progress, notes):
        anchor = anchor or (record.start_perf_ns, record.metadata.request_start_ns)
        payload = record.payload or {}
        model = model or named(payload.get("model"))
        dialect = "openai-completions" if "prompt" in payload else dialect
        calls.append(_raw_call(record, payload))
    run = _run(path, "raw records", calls, anchor=anchor, model=model, dialect=dialect)
    run.notes += notes
    return [run]


def read_records(path: Path, progress: Progress) -> list[Run]:
    """Return the run in a ``profile_export.jsonl``; its times are on the calendar's clock.

    Raises:
        InputError: it is not what aiperf writes.
    """
    notes = ["aiperf's records hold no text: chunks are empty, prompts and answers unknown"]
    calls = [_record_call(record, where) for where, record in records(_record, path, progress, notes)]
    run = _run(path, "records", calls)
    run.notes += notes
    return [run]


def _run(
    path: Path,
    kind: str,
    calls: list[Call],
    *,
    anchor: tuple[int, int] | None = None,
    model: str = "",
    dialect: str = "openai-chat",
) -> Run:
    summary = _read_summary(path.with_name(SUMMARY))
    config = summary.input_config
    model = model or next((named(item.name) for item in config.models.items), "")
    url = next((harmless_url(url) for url in config.endpoint.urls), "")
    asked = next((phase for phase in config.phases if phase.kind != "warmup"), _Phase())
    return Run(
        tool="aiperf", version=named(summary.aiperf_version), kind=kind, anchor=anchor, wall=anchor is None,
        tracks=[Track(label=model or "aiperf", model=model, url=url, dialect=dialect, calls=calls)],
        seed=summary.run_info.random_seed, concurrency=asked.concurrency,
    )  # fmt: skip


def _read_summary(path: Path) -> _Summary:
    """Return what the run was asked to do, as far as there is a file that says so."""
    if not path.is_file():
        return _Summary()
    try:
        return parsed(_summary, document(path), path.name)
    except InputError:
        return _Summary()


def _raw_call(record: _Raw, payload: dict[str, Any]) -> Call:
    metadata = record.metadata
    offset = record.start_perf_ns - metadata.request_start_ns  # from the calendar to the client's own clock
    call = Call(
        sent_ns=record.start_perf_ns, end_ns=metadata.request_end_ns + offset, http_status=record.status,
        phase=_phase(metadata), messages=_messages(payload), params=harmless_values(payload),
    )  # fmt: skip
    if metadata.credit_issued_ns is not None:
        call.scheduled_ns = metadata.credit_issued_ns + offset
    if metadata.request_ack_ns is not None:
        call.headers_ns = metadata.request_ack_ns + offset
    for response, later in zip_longest(record.responses, record.responses[1:]):
        joined = later is not None and later.perf_ns == response.perf_ns
        _take(call, response, "U" if joined else "u")
    call.end_ns = max(call.end_ns, call.sent_ns, *(chunk[0] for chunk in call.chunks))
    _outcome(call, metadata, record.error)
    return call


def _take(call: Call, response: _Response, stamp: str) -> None:
    """Add one stream message to a request."""
    data = "\n".join(packet.value or "" for packet in response.packets or () if packet.name == "data")
    message = _message(data)
    if message is None:
        return
    tokens = None if message.more else message.tokens
    for code, text in ((message.code, message.text), *message.more):
        call.chunks.append((response.perf_ns, code, text, tokens, stamp))
    call.finish_reason = message.finish_reason or call.finish_reason
    if message.usage is not None:
        before = TokenUsage(
            call.input_tokens,
            call.output_tokens,
            call.cached_tokens,
            call.reasoning_tokens,
            call.total_tokens,
        )
        usage = fuller(before, message.usage) or before
        call.input_tokens, call.output_tokens = usage.prompt_tokens, usage.completion_tokens
        call.cached_tokens, call.reasoning_tokens = usage.cached_tokens, usage.reasoning_tokens
        call.total_tokens = usage.total_tokens


def _message(data: str) -> Message | None:
    """Return what a message says, None for an end or a heartbeat; one that cannot be read is bookkeeping, as it was for aiperf."""
    try:
        said = CHAT.read(data.encode("utf-8", "replace"))
    except MalformedMessage:
        return Message("m")
    return Message("m") if isinstance(said, Failed) else said if isinstance(said, Message) else None


def _messages(payload: dict[str, Any]) -> list[dict[str, Any]] | None:
    messages, prompt = payload.get("messages"), payload.get("prompt")
    if isinstance(messages, list) and all(isinstance(message, dict) for message in messages):
        return messages
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else None


def _record_call(record: _Record, where: str) -> Call:
    metadata = record.metadata
    call = Call(
        sent_ns=metadata.request_start_ns, end_ns=metadata.request_end_ns, phase=_phase(metadata),
        scheduled_ns=metadata.credit_issued_ns, headers_ns=metadata.request_ack_ns,
        input_tokens=_count(record, "usage_prompt_tokens", "input_sequence_length"),
        output_tokens=_count(record, "usage_completion_tokens", "output_sequence_length"),
    )  # fmt: skip
    first, answered = (
        _ns(record, name, where) for name in ("time_to_first_token", "time_to_first_output_token")
    )
    if first is not None:
        gaps = [_gap(gap, where) for gap in _list(record, "inter_chunk_latency")]
        times = accumulate(gaps, initial=call.sent_ns + first)
        content = call.sent_ns + (answered if answered is not None else 0)
        call.chunks = [_bare(t, "r" if t < content else "c") for t in times]
        call.end_ns = max(call.end_ns, call.chunks[-1][0])
    _outcome(call, metadata, record.error)
    return call


def _bare(t_ns: int, code: str) -> Chunk:
    return t_ns, code, "", None, "u"


def _gap(value: Any, where: str) -> int:
    if not isinstance(value, int | float) or value < 0:
        raise InputError(f"{where}: inter_chunk_latency has {value!r}, which is not a length of time")
    return seconds_ns(value / 1000, f"{where}: inter_chunk_latency")


def _ns(record: _Record, name: str, where: str) -> int | None:
    """Return a metric in ms as ns; None where the record has none."""
    metric = record.metrics.get(name)
    if metric is None or metric.value is None:
        return None
    if not isinstance(metric.value, int | float) or metric.value < 0 or metric.unit != "ms":
        raise InputError(f"{where}: {name} is {metric.value!r} {metric.unit}, not a length of time in ms")
    return (
        round(metric.value * NS_PER_MS)
        if metric.value < MOST_SECONDS * 1000
        else seconds_ns(metric.value, name)
    )


def _list(record: _Record, name: str) -> list[Any]:
    metric = record.metrics.get(name)
    return metric.value if metric is not None and isinstance(metric.value, list) else []


def _count(record: _Record, *names: str) -> int | None:
    """Return the first of the counts that the record has: the server's own before the tool's."""
    for name in names:
        value = record.metrics[name].value if name in record.metrics else None
        if isinstance(value, int) and 0 <= value <= 2**53:
            return value
    return None


def _phase(metadata: _Metadata) -> Phase:
    return "warmup" if metadata.benchmark_phase == "warmup" else "race"


def _outcome(call: Call, metadata: _Metadata, error: _Error | None) -> None:
    if metadata.was_cancelled:
        call.status = "cancelled"
    elif error is not None:
        call.status, call.error = "failed", _kind(call, error)
        call.message = f"{error.type or ''} {error.code or ''} {error.message}".strip()[:2000]


def _kind(call: Call, error: _Error) -> str:
    """Return the kind of a failure: aiperf gives an error inside a good stream a code of its own, as if HTTP had."""
    status = call.http_status
    if error.type == _IN_STREAM or (
        error.code and (call.chunks or (status is not None and status < _REFUSED))
    ):
        return "error_event"
    return "http" if (status or error.code or 0) >= _REFUSED else "unknown"
