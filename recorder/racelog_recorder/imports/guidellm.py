"""guidellm's JSON: for each request when it began and ended, and when its first and last token came.

Written from guidellm 0.8: instants are seconds of ``time.time``, the calendar's clock, so they are as fine as a float of
it is (0.24 us) and as steady as the calendar. The times of the tokens between the first and the last are not kept.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from racelog.errors import InputError
from racelog.log.progress import Progress
from racelog_recorder.imports.reading import document, named, parsed
from racelog_recorder.imports.shape import Call, Run, Track, seconds_ns
from racelog_recorder.imports.urls import harmless_url, harmless_values

Count = Annotated[int, Meta(ge=0, le=2**53)] | None
_NOTES = (
    "guidellm keeps the times of a request's first and last token alone: two chunks are here, the answer's text in the last",
    "the instants are of the calendar's clock, in steps of 0.24 us; a clock that was set meanwhile would show in them",
)
_OPEN = {"constant": "constant", "poisson": "poisson"}


class _Timings(Struct, frozen=True):
    request_start: float | None = None
    request_end: float | None = None
    targeted_start: float | None = None
    first_token_iteration: float | None = None
    last_token_iteration: float | None = None


class _Info(Struct, frozen=True):
    timings: _Timings = _Timings()
    error: str | None = None


class _Counts(Struct, frozen=True):
    total_tokens: Count = None
    cached_tokens: Count = None


class _Request(Struct, frozen=True):
    info: _Info
    request_args: str | None = None
    output: str | None = None
    reasoning_output: str | None = None
    input_metrics: _Counts = _Counts()
    output_metrics: _Counts = _Counts()


class _Requests(Struct, frozen=True):
    successful: list[_Request] | None = None
    errored: list[_Request] | None = None
    incomplete: list[_Request] | None = None


class _Strategy(Struct, frozen=True):
    type_: str = ""
    streams: int | None = None
    rate: float | None = None


class _Backend(Struct, frozen=True):
    target: str = ""
    model: str | None = None
    request_format: str | None = None


class _Config(Struct, frozen=True):
    strategy: _Strategy = _Strategy()
    backend: _Backend = _Backend()


class _Benchmark(Struct, frozen=True):
    requests: _Requests
    config: _Config = _Config()


class _Metadata(Struct, frozen=True):
    guidellm_version: str = ""
    platform: str = ""
    python_version: str = ""


class _Seed(Struct, frozen=True):
    value: int | None = None


class _Spec(Struct, frozen=True):
    seed: _Seed = _Seed()


class _AskedFor(Struct, frozen=True):
    spec: _Spec = _Spec()


class _Report(Struct, frozen=True):
    benchmarks: list[_Benchmark]
    metadata: _Metadata = _Metadata()
    config: _AskedFor = _AskedFor()


class _Asked(Struct, frozen=True):
    body: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Report)
_asked = msgspec.json.Decoder(_Asked)


def read(path: Path, progress: Progress) -> Run:
    """Return the report in the file: a lane for each of its benchmarks, which ran one after another.

    Raises:
        InputError: it is not what guidellm writes, or was written without its requests.
    """
    progress("reading", 0, 1)
    report = parsed(_decoder, document(path), path.name)
    if not report.benchmarks:
        raise InputError(f"{path.name} holds no benchmark")
    several = len(report.benchmarks) > 1
    strategies = [benchmark.config.strategy for benchmark in report.benchmarks]
    host = {"os": report.metadata.platform, "python": report.metadata.python_version}
    return Run(
        tool="guidellm", version=named(report.metadata.guidellm_version), kind="report", wall=True, notes=[*_NOTES],
        tracks=[_track(benchmark, path.name, several=several) for benchmark in report.benchmarks],
        host={name: named(value) for name, value in host.items() if value},
        seed=report.config.spec.seed.value, concurrency=strategies[0].streams, rate_per_s=None if several else strategies[0].rate,
        arrival="" if several else _OPEN.get(strategies[0].type_, ""),
    )  # fmt: skip


def _track(benchmark: _Benchmark, file: str, *, several: bool) -> Track:
    strategy, backend, requests = benchmark.config.strategy, benchmark.config.backend, benchmark.requests
    paced = strategy.type_ in _OPEN
    calls = [
        call
        for status, found in (
            ("ok", requests.successful),
            ("failed", requests.errored),
            ("cancelled", requests.incomplete),
        )
        for request in found or ()
        if (call := _call(request, status, paced=paced)) is not None
    ]
    load = f"{strategy.type_}@{strategy.streams or strategy.rate or ''}".rstrip("@")
    model = named(backend.model)
    if not calls:
        raise InputError(f"{file} holds no requests ({load}): guidellm was told not to keep them")
    label = load if several else model or load
    dialect = "openai-chat" if "chat" in (backend.request_format or "chat") else "openai-completions"
    return Track(
        label=label, model=model, url=harmless_url(backend.target), dialect=dialect, calls=calls, kept="ends"
    )


def _call(request: _Request, status: Any, *, paced: bool) -> Call | None:
    """Return one request; None if it was never sent."""
    timings = request.info.timings
    if timings.request_start is None:
        return None
    sent = seconds_ns(timings.request_start, "request_start")
    body = _body(request)
    call = Call(
        sent_ns=sent, end_ns=sent, status=status, messages=_messages(body), params=harmless_values(body),
        input_tokens=request.input_metrics.total_tokens, cached_tokens=request.input_metrics.cached_tokens,
        output_tokens=request.output_metrics.total_tokens,
    )  # fmt: skip
    if paced and timings.targeted_start is not None:
        call.scheduled_ns = seconds_ns(timings.targeted_start, "targeted_start")
    _take_tokens(call, request, timings)
    if timings.request_end is not None:
        call.end_ns = max(call.end_ns, seconds_ns(timings.request_end, "request_end"))
    if status == "failed":
        call.error, call.message = "unknown", (request.info.error or "")[:2000]
    return call


def _take_tokens(call: Call, request: _Request, timings: _Timings) -> None:
    if timings.first_token_iteration is None:
        return
    first = seconds_ns(timings.first_token_iteration, "first_token_iteration")
    last = first
    if timings.last_token_iteration is not None:
        last = seconds_ns(timings.last_token_iteration, "last_token_iteration")
    text = (request.reasoning_output or "") + (request.output or "")
    code = "c" if request.output or not request.reasoning_output else "r"
    call.chunks = [(first, code, "" if last > first else text, None, "u")]
    if last > first:
        call.chunks.append((last, code, text, None, "u"))
    call.end_ns = max(call.end_ns, last)


def _body(request: _Request) -> dict[str, Any]:
    """Return the body that was sent, which the report holds as JSON inside a text."""
    try:
        asked = parsed(_asked, (request.request_args or "{}").encode("utf-8", "replace"), "request_args")
    except InputError:
        return {}
    return asked.body or {}


def _messages(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    messages, prompt = body.get("messages"), body.get("prompt")
    if isinstance(messages, list) and all(isinstance(message, dict) for message in messages):
        return messages
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else None
