"""What an engine says of itself: its Prometheus page, read about once a second, by the names that engines use.

An engine has many series and we keep seven: requests running and waiting, the KV cache, tokens in, out and cached, and
preemptions. vLLM's and llama.cpp's names are those of pages captured from them (2026), SGLang's and TGI's those of their
documentation; of the cache, names of older versions too.
"""

import math
import re
from collections.abc import Awaitable, Callable

import httpx2
import trio
from msgspec import Struct

from racelog.events import EngineSamples, Note
from racelog_recorder.dialects.registry import DIALECTS
from racelog_recorder.journal.journal import Journal
from racelog_recorder.journal.samples import SampleColumns, recorded, said
from racelog_recorder.protocol.messages import MetricsTarget
from racelog_recorder.redaction import public_url
from racelog_recorder.transports.asking import MOST_BYTES, ask, asking_headers
from racelog_recorder.transports.httpx_transport import plain_transport

SOURCE = "prometheus"
TIMEOUT_S = 5.0
_PERCENT = 100.0


class EngineReading(Struct, frozen=True):
    """One reading of one engine; None is what it does not say."""

    running: float | None = None
    waiting: float | None = None
    kv_cache_pct: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cached_tokens: float | None = None
    preemptions: float | None = None


_NAMES = {
    "running": (
        "vllm:num_requests_running", "llamacpp:requests_processing", "sglang:num_running_reqs", "tgi_batch_current_size",
    ),
    "waiting": ("vllm:num_requests_waiting", "llamacpp:requests_deferred", "sglang:num_queue_reqs", "tgi_queue_size"),
    "kv_cache_pct": (
        "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc", "llamacpp:kv_cache_usage_ratio", "sglang:token_usage",
    ),
    "input_tokens": ("vllm:prompt_tokens_total", "llamacpp:prompt_tokens_total", "sglang:prompt_tokens_total"),
    "output_tokens": (
        "vllm:generation_tokens_total", "llamacpp:tokens_predicted_total", "sglang:generation_tokens_total",
    ),
    "cached_tokens": (
        "vllm:prefix_cache_hits_total", "llamacpp:prompt_tokens_cached_total", "sglang:cached_tokens_total",
    ),
    "preemptions": ("vllm:num_preemptions_total",),
}  # fmt: skip
_FIELD = {name: field for field, names in _NAMES.items() for name in names}
_LINE = re.compile(rf"^({'|'.join(map(re.escape, _FIELD))})(?:\{{[^\n]*\}})?[ \t]+(\S+)", re.MULTILINE)
"""A line of one of our series. The page is searched for these alone: 2 MiB of others cost 20 ms, taken line by line a second."""


def reading_of(page: str) -> EngineReading:
    """Return what a Prometheus page says; the same series with several labels is added up, of the cache the fullest counts."""
    found: dict[str, float] = {}
    for matched in _LINE.finditer(page):
        field = _FIELD[matched[1]]
        if (value := _number(matched[2])) is None:
            continue
        if field == "kv_cache_pct":
            found[field] = max(found.get(field, 0.0), value * _PERCENT)
        else:
            found[field] = found.get(field, 0.0) + value
    return EngineReading(**found)


class EngineColumns(SampleColumns[EngineReading]):
    """Gathers readings of one engine into an `EngineSamples` event."""

    def __init__(self, lane: int, source: str = SOURCE) -> None:
        super().__init__()
        self._lane, self._source = lane, source

    def take(self) -> EngineSamples:
        """Return what was gathered and start anew; there must be at least one reading. What was never said is left out."""
        t, d, columns = self._taken()
        return EngineSamples(t=t, lane=self._lane, source=self._source, d=d, **said(columns))


async def sample_engine(journal: Journal, target: MetricsTarget, interval_s: float) -> None:
    """Record what one engine says of itself until cancelled; an engine that says nothing is noted once and left alone."""
    dialect = DIALECTS[target.dialect]
    url = dialect.metrics_url(target.url)
    transport = plain_transport(target.url, target.reach)
    client = httpx2.AsyncClient(
        transport=transport,
        timeout=TIMEOUT_S,
        headers=asking_headers("text/plain", dialect.auth_headers(target.api_key), target.headers),
        trust_env=False,
    )

    async def page() -> tuple[str, str]:
        return await _page(transport, client.build_request("GET", url))

    with recorded(journal, EngineColumns(target.lane)) as add:
        async with client:
            await _sample(journal, target, add, page, interval_s)


async def _sample(
    journal: Journal,
    target: MetricsTarget,
    add: Callable[[int, EngineReading], None],
    page: Callable[[], Awaitable[tuple[str, str]]],
    interval_s: float,
) -> None:
    told = False
    while True:
        said, why = "", ""
        try:
            said, why = await page()
        except (httpx2.HTTPError, OSError, ValueError) as error:
            if not told:
                _note(journal, target, type(error).__name__)
                told = True
        reading = reading_of(said)
        if said and reading == EngineReading():
            why = "its page has none of the series that racelog knows"
        if why:
            _note(journal, target, why)
            return
        if said:
            add(journal.now_ns(), reading)
        await trio.sleep(interval_s)


async def _page(transport: httpx2.AsyncBaseTransport, request: httpx2.Request) -> tuple[str, str]:
    """Return the page and an empty reason, or why there is none and never will be."""
    answer = await ask(transport, request, within_s=TIMEOUT_S)
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - only a success is a page
        return "", f"HTTP {answer.status}"
    if not answer.whole:
        return "", f"its page is longer than {MOST_BYTES >> 20} MiB"
    return answer.body.decode("utf-8", "replace"), ""


def _note(journal: Journal, target: MetricsTarget, why: str) -> None:
    where = public_url(DIALECTS[target.dialect].metrics_url(target.url))
    journal.record(
        Note(t=journal.now_ns(), text=f"no metrics of {target.engine} from {where}: {why}", lane=target.lane)
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
