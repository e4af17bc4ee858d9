"""Other clients against the same truth: bare loops over httpx2 and aiohttp, aiperf, guidellm; what they report and keep.

aiperf and guidellm are large, so each is looked for where RACELOG_AIPERF and RACELOG_GUIDELLM say, and left out where
there is none. aiohttp is taken from wherever one of these interpreters has it. The tools run on both cores, as their
users run them; the bare loops on the recorder's core alone.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from racelog.replay.quantiles import quantile
from tests.bench.truth import CLIENT_CORE, HERE, Truth, pinned

LIMIT_S = 600
AIPERF = Path(os.environ.get("RACELOG_AIPERF", "/tmp/peers/aiperf/bin/aiperf"))
GUIDELLM = Path(os.environ.get("RACELOG_GUIDELLM", "/tmp/peers/guidellm/bin/guidellm"))

TRUTH = re.compile(r"\d{19}(?= )")

TOKENIZER = """
import sys
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
vocab = {sign: number for number, sign in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
vocab["<|end|>"] = len(vocab)
plain = Tokenizer(models.BPE(vocab=vocab, merges=[]))
plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
plain.decoder = decoders.ByteLevel()
end = "<|end|>"
PreTrainedTokenizerFast(tokenizer_object=plain, bos_token=end, eos_token=end, pad_token=end).save_pretrained(sys.argv[1])
"""
"""A tokenizer of single bytes: both tools want one, and the hub may be out of reach."""


@dataclass(frozen=True)
class Told:
    """What a client reports, and how far its stamps are from the truth where it keeps them (ms)."""

    name: str
    ttft_p50_ms: float | None
    itl_p50_ms: float | None
    p50: float | None = None
    p99: float | None = None
    cpu_us_per_token: float | None = None


def peers(folder: Path, truth: Truth, streams: int, tokens: int) -> Iterator[Told]:
    """Yield what every client that is here says of ``streams`` streams of ``tokens`` tokens."""
    yield loop("httpx2", sys.executable, truth, streams, tokens)
    if (python := _with_aiohttp()) is not None:
        yield loop("aiohttp", python, truth, streams, tokens)
    if AIPERF.exists():
        yield aiperf(folder / f"aiperf-{streams}", truth, streams, tokens)
    if GUIDELLM.exists():
        yield guidellm(folder / f"guidellm-{streams}", truth, streams, tokens)


def loop(library: str, python: str, truth: Truth, streams: int, tokens: int) -> Told:
    """Run the bare loop over ``library`` (see loops.py); one that dies says so by having no numbers."""
    command = [
        *pinned(CLIENT_CORE),
        python,
        str(HERE / "loops.py"),
        library,
        str(truth.port),
        str(streams),
        str(tokens),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode:
        return Told(f"{library} loop: died", None, None)
    found = json.loads(done.stdout)
    error = found["error_ms"]
    return Told(
        f"{library} loop", found["ttft_p50_ms"], found["itl_p50_ms"], error["p50"], error["p99"], found["cpu_us_per_token"]
    )  # fmt: skip


def aiperf(folder: Path, truth: Truth, streams: int, tokens: int) -> Told:
    """Run aiperf with its raw export, whose messages have a stamp each on this machine's monotonic clock."""
    folder.mkdir()
    command = [
        str(AIPERF), "profile", "--model", "truth", "--url", f"http://127.0.0.1:{truth.port}", "--endpoint-type", "chat",
        "--streaming", "--tokenizer", tokenizer(AIPERF, folder), "--use-server-token-count", "--isl", "8", "--osl", str(tokens),
        "--concurrency", str(streams), "--request-count", str(streams), "--random-seed", "1", "--export-level", "raw",
        "--no-gpu-telemetry", "--no-server-metrics", "--ui", "none", "--output-artifact-dir", str(folder / "out"),
    ]  # fmt: skip
    if not ran(command, folder):
        return Told("aiperf: died", None, None)
    errors: list[float] = []
    for path in folder.rglob("*raw*.jsonl"):
        with path.open(encoding="utf-8") as lines:
            errors += [error for line in lines for error in _stamped(json.loads(line))]
    errors.sort()
    report = json.loads(next(folder.rglob("profile_export_aiperf.json")).read_text(encoding="utf-8"))
    return Told(
        "aiperf", _metric(report, "time_to_first_token", "p50"), _metric(report, "inter_token_latency", "p50"),
        quantile(errors, 0.5), quantile(errors, 0.99),
    )  # fmt: skip


def guidellm(folder: Path, truth: Truth, streams: int, tokens: int) -> Told:
    """Run guidellm, which keeps no stamp of a token."""
    folder.mkdir()
    out = folder / "out.json"
    command = [
        str(GUIDELLM), "run", "--backend", f"kind=openai_http,target=http://127.0.0.1:{truth.port},model=truth",
        "--tokenizer", f"kind=huggingface_auto,model={tokenizer(GUIDELLM, folder)}",
        "--profile", f"kind=concurrent,streams={streams}", "--constraint", f"kind=max_requests,count={streams}",
        "--data", f"kind=synthetic_text,prompt_tokens=8,output_tokens={tokens}", "--output", f"kind=json,path={out}",
        "--disable-console-interactive",
    ]  # fmt: skip
    if not ran(command, folder) or not out.exists():
        return Told("guidellm: died", None, None)
    report = json.loads(out.read_text(encoding="utf-8"))
    return Told(
        "guidellm",
        _metric(report, "time_to_first_token_ms", "median"),
        _metric(report, "inter_token_latency_ms", "median"),
    )


def ran(command: list[str], folder: Path) -> bool:
    """Run a tool; keep what it said in ``folder``."""
    with (folder / "said.txt").open("w", encoding="utf-8") as said:
        try:
            done = subprocess.run(command, check=False, stdout=said, stderr=said, cwd=folder, timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def tokenizer(tool: Path, folder: Path) -> str:
    """Make a tokenizer with the tool's own libraries; return its folder."""
    made = folder / "tokenizer"
    subprocess.run(
        [str(tool.with_name("python")), "-c", TOKENIZER, str(made)], check=True, capture_output=True
    )
    return str(made)


def _with_aiohttp() -> str | None:
    """Return an interpreter that has aiohttp, or None."""
    for python in (sys.executable, str(AIPERF.with_name("python")), str(GUIDELLM.with_name("python"))):
        if (
            Path(python).exists()
            and not subprocess.run(
                [python, "-c", "import aiohttp"], check=False, capture_output=True
            ).returncode
        ):
            return python
    return None


def _stamped(value: Any) -> Iterator[float]:
    """Yield stamp minus truth (ms) of every stamped message in an aiperf record, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(value.get("perf_ns"), int):
            for sent in TRUTH.findall(json.dumps(value)):
                yield (value["perf_ns"] - int(sent)) / 1e6
            return
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _stamped(inner)


def _metric(value: Any, name: str, quantity: str) -> float | None:
    """Return ``quantity`` of the first metric called ``name``, however deep it stands."""
    if isinstance(value, dict):
        if name in value and (found := _number(value[name], quantity)) is not None:
            return found
        value = list(value.values())
    if isinstance(value, list):
        return next((found for inner in value if (found := _metric(inner, name, quantity)) is not None), None)
    return None


def _number(value: Any, quantity: str) -> float | None:
    """Return ``value[quantity]``, or that of its successes."""
    if not isinstance(value, dict):
        return None
    value = value.get("successful", value)
    number = value.get(quantity) if isinstance(value, dict) else None
    if number is None and isinstance(value, dict):
        number = value.get("percentiles", {}).get(quantity)
    return float(number) if isinstance(number, int | float) else None
