"""The JSON of ``vllm bench serve --save-result --save-detailed``: when each request began and the gaps in its stream.

With ``--append-result`` a file holds several, one after another; each is a run of its own.

Written from vLLM 0.32 (`vllm/benchmarks/lib/endpoint_request_func.py`): instants are seconds of ``time.perf_counter``,
a stamp is taken for every message with ``choices``, be it a role or the finish alone, and ``latencies`` end at the last.
"""

import re
from itertools import accumulate
from math import isfinite
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from racelog.errors import InputError
from racelog.log.format.progress import Progress
from racelog_recorder.imports.kinds import why_not
from racelog_recorder.imports.reading import document, named, objects, parsed
from racelog_recorder.imports.shape import Call, Part, Run, Track, seconds_ns

Count = Annotated[int, Meta(ge=0, le=2**53)]
_DATE = re.compile(r"\d{8}-\d{6}")
_NOTES = (
    "vllm bench does not keep which messages had text: all are taken for token chunks, the answer's text in the last",
    "the file does not tell which output tokens the server counted and which the tool's tokenizer",
    "a request ends with its last message with choices; what came after is not in the file",
)


class _Result(Struct, frozen=True):
    input_lens: list[Count]
    output_lens: list[Count]
    ttfts: list[float]
    itls: list[list[float]]
    errors: list[str]
    start_times: list[float] | None = None
    queue_times: list[float] | None = None
    latencies: list[float] | None = None
    generated_texts: list[str] | None = None
    date: str = ""
    backend: str = ""
    endpoint_type: str = ""
    model_id: str = ""
    max_concurrency: int | None = None
    request_rate: float | str | None = None
    burstiness: float | str | None = None

    @property
    def rate_per_s(self) -> float | None:
        """Requests a second; None where all were sent as soon as they could be, which is written as ``inf``."""
        rate = self.request_rate
        return float(rate) if isinstance(rate, float | int) and isfinite(rate) else None


_decoder = msgspec.json.Decoder(_Result)
_names = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read(path: Path, progress: Progress) -> list[Run]:
    """Return the runs in the file, in its order; a summary among them is told in the notes of the first.

    Raises:
        InputError: it is not what vllm bench writes, or was written without the times at which requests began.
    """
    progress("reading", 0, 1)
    results = list(dict.fromkeys(objects(document(path))))
    if len(results) == 1:
        return [_run(results[0], path.name)]
    runs, left_out = [], []
    for number, content in enumerate(results, 1):
        where = f"{path.name}, result {number} of {len(results)}"
        names: dict[str, msgspec.Raw] = parsed(_names, content, where)
        if "ttfts" not in names and (reason := why_not(frozenset(names))):
            left_out.append(f"result {number} of {len(results)} was left out: {reason}")
            continue
        run = _run(content, where)
        run.part = Part(number, len(results), content)
        runs.append(run)
    runs[0].notes[:0] = left_out
    return runs


def _run(content: bytes, where: str) -> Run:
    """Return the run that one result tells."""
    result = parsed(_decoder, content, where)
    starts = result.start_times
    if starts is None:
        raise InputError(
            f"{where} does not tell when its requests began (start_times): vLLM before 0.12 did not keep it"
        )
    lists = ("input_lens", "output_lens", "ttfts", "itls", "errors", "start_times", "queue_times", "latencies", "generated_texts")  # fmt: skip
    sizes = {name: len(getattr(result, name)) for name in lists if getattr(result, name) is not None}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        raise InputError(f"{where}: its lists are not of one length ({told})")
    rate = result.rate_per_s
    calls = [_call(result, i, start, paced=rate is not None) for i, start in enumerate(starts)]
    model = named(result.model_id)
    return Run(
        tool="vllm bench", version="", kind="detailed results", notes=[*_NOTES],
        date=result.date if _DATE.fullmatch(result.date) else "",
        tracks=[Track(label=model or "vllm bench", model=model, calls=calls, dialect=_dialect(result))],
        concurrency=result.max_concurrency, rate_per_s=rate, arrival="" if rate is None else _arrival(result),
    )  # fmt: skip


def _call(result: _Result, i: int, start: float, *, paced: bool) -> Call:
    where = f"request {i}"
    sent = seconds_ns(start, f"start_times of {where}")
    call = Call(
        sent_ns=sent,
        end_ns=sent,
        prompt=i,
        input_tokens=result.input_lens[i],
        output_tokens=result.output_lens[i],
    )
    if paced and result.queue_times is not None:
        call.scheduled_ns = sent - seconds_ns(result.queue_times[i], f"queue_times of {where}")
    first = seconds_ns(result.ttfts[i], f"ttfts of {where}")
    if first > 0:
        gaps = [seconds_ns(gap, f"itls of {where}") for gap in result.itls[i]]
        if any(gap < 0 for gap in gaps):
            raise InputError(f"{where}: itls has a negative gap")
        times = list(accumulate(gaps, initial=sent + first))
        text = result.generated_texts[i] if result.generated_texts else ""
        call.chunks = [(t, "c", "", None, "u") for t in times[:-1]]
        call.chunks.append((times[-1], "c", text, None, "u"))
        call.end_ns = times[-1]
    if result.latencies is not None and first <= 0:
        call.end_ns = max(sent, sent + seconds_ns(result.latencies[i], f"latencies of {where}"))
    if result.errors[i] or (first <= 0 and not result.output_lens[i]):
        call.status, call.error, call.output_tokens = "failed", "unknown", None
        call.message = (result.errors[i].strip().splitlines() or [""])[-1][:2000]
    return call


def _dialect(result: _Result) -> str:
    spoken = result.backend or result.endpoint_type
    return (
        "openai-chat"
        if "chat" in spoken
        else "openai-completions"
        if spoken in ("openai", "vllm")
        else named(spoken)
    )


def _arrival(result: _Result) -> str:
    """Return how requests were spaced: gamma, which with a burstiness of 1 is Poisson and with infinity constant."""
    return {None: "poisson", 1.0: "poisson", "Infinity": "constant"}.get(result.burstiness, "gamma")
