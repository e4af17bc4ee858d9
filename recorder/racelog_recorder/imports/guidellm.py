"""guidellm's JSON: for each request when it began and ended, and when its first and last token came.

Written from guidellm 0.8, with the names that 0.3 and 0.4 had: instants are seconds of ``time.time``, the calendar's clock, so they are as fine as a float of
it is (0.24 us) and as steady as the calendar. The times of the tokens between the first and the last are not kept.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from racelog.errors import InputError
from racelog.log.format.progress import Progress
from racelog_recorder.imports.reading import document, named, parsed
from racelog_recorder.imports.shape import Call, Run, Track, seconds_ns
from racelog_recorder.imports.urls import harmless_url, harmless_values

Status = Literal["ok", "failed", "cancelled"]
Count = Annotated[int, Meta(ge=0, le=2**53)] | None
_NOTES = (
    "guidellm keeps the times of a request's first and last token alone: two chunks are here, the answer's text in the last",
    "the instants are of the calendar's clock, in steps of 0.24 us; a clock that was set meanwhile would show in them",
)
_EARLY = "this guidellm kept when the first and the last message came, be it a role or the finish alone: they stand for tokens"
_OPEN = {"constant": "constant", "poisson": "poisson"}


class _Timings(Struct, frozen=True):
    request_start: float | None = None
    request_end: float | None = None
    targeted_start: float | None = None
    resolve_start: float | None = None
    resolve_end: float | None = None
    first_token_iteration: float | None = None
    last_token_iteration: float | None = None
    first_iteration: float | None = None
    last_iteration: float | None = None


class _Info(Struct, frozen=True):
    timings: _Timings = _Timings()
    error: str | None = None


class _Counts(Struct, frozen=True):
    total_tokens: Count = None
    text_tokens: Count = None
    cached_tokens: Count = None


class _Request(Struct, frozen=True):
    """A request of any version: before 0.4 its facts stood in it and not in ``info``."""

    info: _Info | None = None
    start_time: float | None = None
    end_time: float | None = None
    first_token_time: float | None = None
    last_token_time: float | None = None
    prompt: str | None = None
    prompt_tokens: Count = None
    output_tokens: Count = None
    error: str | None = None
    request_type: str = ""
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


class _Strategic(Struct, frozen=True):
    strategy: _Strategy = _Strategy()


class _Worker(Struct, frozen=True):
    backend_target: str = ""
    backend_model: str | None = None


class _Benchmark(Struct, frozen=True):
    """A benchmark of any version: before 0.4 its strategy stood in ``args``, its backend in ``worker``."""

    requests: _Requests
    config: _Config | None = None
    args: _Strategic = _Strategic()
    worker: _Worker = _Worker()

    @property
    def asked(self) -> _Config:
        """What was run, against what."""
        if self.config is not None:
            return self.config
        return _Config(self.args.strategy, _Backend(self.worker.backend_target, self.worker.backend_model))


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


def read(path: Path, progress: Progress) -> list[Run]:
    """Return the report in the file as one run: a lane for each of its benchmarks, which ran one after another.

    Raises:
        InputError: it is not what guidellm writes, or was written without its requests.
    """
    progress("reading", 0, 1)
    report = parsed(_decoder, document(path), path.name)
    if not report.benchmarks:
        raise InputError(f"{path.name} holds no benchmark")
    several = len(report.benchmarks) > 1
    tracks = [_track(benchmark, several=several) for benchmark in report.benchmarks]
    notes = [*_NOTES] + [_EARLY] * any(_is_early(benchmark) for benchmark in report.benchmarks)
    notes += [
        f"{track.label} was left out: no request of it was sent, or kept"
        for track in tracks
        if not track.calls
    ]
    if not any(track.calls for track in tracks):
        loads = ", ".join(_load(benchmark.asked.strategy) for benchmark in report.benchmarks)
        raise InputError(f"{path.name} holds no requests ({loads}): guidellm was told not to keep them")
    first = report.benchmarks[0].asked.strategy
    host = {"os": report.metadata.platform, "python": report.metadata.python_version}
    run = Run(
        tool="guidellm", version=named(report.metadata.guidellm_version), kind="report", wall=True, notes=notes,
        tracks=[track for track in tracks if track.calls],
        host={name: named(value) for name, value in host.items() if value},
        seed=report.config.spec.seed.value, concurrency=first.streams, rate_per_s=None if several else first.rate,
        arrival="" if several else _OPEN.get(first.type_, ""),
    )  # fmt: skip
    return [run]


def _every(requests: _Requests) -> Iterator[tuple[Status, _Request]]:
    """Yield every request with what became of it."""
    kept: tuple[tuple[Status, list[_Request] | None], ...] = (
        ("ok", requests.successful), ("failed", requests.errored), ("cancelled", requests.incomplete),
    )  # fmt: skip
    for status, found in kept:
        for request in found or ():
            yield status, request


def _load(strategy: _Strategy) -> str:
    """Return what a benchmark is called by its load, such as ``concurrent@3``."""
    return f"{strategy.type_}@{strategy.streams or strategy.rate or ''}".rstrip("@")


def _is_early(benchmark: _Benchmark) -> bool:
    """Return whether its guidellm stamped the first and last message, and not the first and last token."""
    return any(
        request.info is not None and request.info.timings.first_iteration is not None
        for _, request in _every(benchmark.requests)
    )


def _track(benchmark: _Benchmark, *, several: bool) -> Track:
    strategy, backend = benchmark.asked.strategy, benchmark.asked.backend
    paced = strategy.type_ in _OPEN
    found = [*_every(benchmark.requests)]
    calls = [call for status, request in found if (call := _call(request, status, paced=paced)) is not None]
    model = named(backend.model)
    spoken = backend.request_format or next((request.request_type for _, request in found), "") or "chat"
    dialect = "openai-chat" if "chat" in spoken else "openai-completions"
    label = _load(strategy) if several else model or _load(strategy)
    return Track(
        label=label, model=model, url=harmless_url(backend.target), dialect=dialect, calls=calls, kept="ends"
    )


def _instants(request: _Request) -> _Timings:
    """Return a request's instants, whatever the version called them.

    A request that failed before it was sent has the instant at which guidellm took it up, as guidellm itself counts it.
    """
    if request.info is None:
        return _Timings(
            request_start=request.start_time, request_end=request.end_time,
            first_token_iteration=request.first_token_time, last_token_iteration=request.last_token_time,
        )  # fmt: skip
    told = request.info.timings
    return msgspec.structs.replace(
        told,
        request_start=_first_of(told.request_start, told.resolve_start),
        request_end=_first_of(told.request_end, told.resolve_end),
        first_token_iteration=_first_of(told.first_token_iteration, told.first_iteration),
        last_token_iteration=_first_of(told.last_token_iteration, told.last_iteration),
    )


def _first_of(*values: float | None) -> float | None:
    """Return the first that is known; below 0 stands in early versions for none."""
    return next((value for value in values if value is not None and not value < 0), None)


def _call(request: _Request, status: Status, *, paced: bool) -> Call | None:
    """Return one request; None if it was never sent."""
    timings = _instants(request)
    was_sent = request.info is None or request.info.timings.request_start is not None
    if timings.request_start is None or not (was_sent or status == "failed"):
        return None
    sent = seconds_ns(timings.request_start, "request_start")
    body = _body(request)
    counted = request.input_metrics, request.output_metrics
    inputs, outputs = ((one.text_tokens if one.total_tokens is None else one.total_tokens) for one in counted)
    call = Call(
        sent_ns=sent, end_ns=sent, status=status, messages=_messages(body), params=harmless_values(body),
        input_tokens=request.prompt_tokens if inputs is None else inputs, cached_tokens=request.input_metrics.cached_tokens,
        output_tokens=request.output_tokens if outputs is None else outputs,
    )  # fmt: skip
    if paced and timings.targeted_start is not None:
        call.scheduled_ns = seconds_ns(timings.targeted_start, "targeted_start")
    _take_tokens(call, request, timings)
    if timings.request_end is not None:
        call.end_ns = max(call.end_ns, seconds_ns(timings.request_end, "request_end"))
    if status == "failed":
        said = request.error if request.info is None else request.info.error
        call.error, call.message, call.output_tokens = "unknown", (said or "")[:2000], None
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
    """Return the body that was sent, which the report holds as JSON inside a text; before 0.4 the prompt alone."""
    if request.prompt is not None:
        return {"prompt": request.prompt}
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
