"""Each tool's numbers, ours in its dialect, and the truth, of one load: vllm bench, aiperf and guidellm.

    python -m tests.bench.dialects [--streams 16] [--rounds 4] [--tokens 40]

Each tool loads the truth server, 50 ms to the first token and 20 ms between tokens, and its file is imported; then
`racelog record` does the same. Printed are p50 and p99 of each metric: as the tool's own file says, as our macro says of
that file, as our macro says of what racelog recorded, and what the server did. The first two differ only if the macro is
wrong. Tools are looked for where RACELOG_AIPERF, RACELOG_GUIDELLM and RACELOG_VLLM (vLLM's Python) say.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from racelog.query.connection.connect import connect
from racelog_recorder.imports import import_results
from tests.bench.stamp_peers import AIPERF, GUIDELLM, LIMIT_S, ran, tokenizer
from tests.bench.truth import CLIENT_CORE, GAP_MS, TTFT_MS, Truth, pinned, truth_server
from tests.imports.own_numbers import Numbers, own_numbers

VLLM = Path(os.environ.get("RACELOG_VLLM", "/tmp/eng/v-vllm/bin/python"))
VLLM_BENCH = (
    "from argparse import ArgumentParser as P; from vllm.benchmarks.serve import add_cli_args, main; "
    "p = P(); add_cli_args(p); main(p.parse_args())"
)
"""What ``vllm bench serve`` runs, for vLLM's wheels for CPUs, whose own command looks for a package of another name."""


@dataclass(frozen=True)
class Load:
    """So many streams, each so many requests one after another, each so many tokens long."""

    streams: int
    rounds: int
    tokens: int

    @property
    def requests(self) -> int:
        """Requests in all."""
        return self.streams * self.rounds

    def truth(self, dialect: str) -> dict[str, float]:
        """Return what the server does, in a dialect's terms: its finish and usage come a gap after the last token."""
        first, gap, tokens = TTFT_MS, GAP_MS, self.tokens
        last = first + gap * (tokens - 1)
        return {
            "aiperf": {"ttft": first, "inter_token_latency": gap, "inter_chunk_latency": gap, "request_latency": last},
            "guidellm": {
                "ttft": first, "inter_token_latency": gap, "time_per_output_token": last / tokens,
                "request_latency": last + gap,
            },
            "vllm_bench": {
                "ttft": first, "tpot": gap * tokens / (tokens - 1), "itl": gap, "e2el": last + gap,
            },
        }[dialect]  # fmt: skip


def vllm_bench(folder: Path, truth: Truth, load: Load) -> tuple[Path, Path]:
    """Run vllm bench; return its file, which holds results and summary."""
    out = folder / "vllm.json"
    command = [
        str(VLLM), "-c", VLLM_BENCH, "--backend", "openai-chat", "--base-url", f"http://127.0.0.1:{truth.port}",
        "--endpoint", "/v1/chat/completions", "--model", "truth", "--tokenizer", tokenizer(VLLM, folder),
        "--dataset-name", "random", "--random-input-len", "8", "--random-output-len", str(load.tokens),
        "--num-prompts", str(load.requests), "--max-concurrency", str(load.streams), "--save-result", "--save-detailed",
        "--percentile-metrics", "ttft,tpot,itl,e2el", "--metric-percentiles", "50,90,99", "--result-filename", str(out),
    ]  # fmt: skip
    assert ran(command, folder), f"vllm bench failed; see {folder / 'said.txt'}"
    return out, out


def aiperf(folder: Path, truth: Truth, load: Load) -> tuple[Path, Path]:
    """Run aiperf; return its raw records and its summary."""
    out = folder / "out"
    command = [
        str(AIPERF), "profile", "--model", "truth", "--url", f"http://127.0.0.1:{truth.port}", "--endpoint-type", "chat",
        "--streaming", "--tokenizer", tokenizer(AIPERF, folder), "--use-server-token-count", "--isl", "8",
        "--osl", str(load.tokens), "--concurrency", str(load.streams), "--request-count", str(load.requests),
        "--random-seed", "1", "--export-level", "raw", "--no-gpu-telemetry", "--no-server-metrics", "--ui", "none",
        "--output-artifact-dir", str(out),
    ]  # fmt: skip
    assert ran(command, folder), f"aiperf failed; see {folder / 'said.txt'}"
    return out / "profile_export_raw.jsonl", out / "profile_export_aiperf.json"


def guidellm(folder: Path, truth: Truth, load: Load) -> tuple[Path, Path]:
    """Run guidellm; return its report, which holds requests and summary."""
    out = folder / "guidellm.json"
    command = [
        str(GUIDELLM), "run", "--backend", f"kind=openai_http,target=http://127.0.0.1:{truth.port},model=truth",
        "--tokenizer", f"kind=huggingface_auto,model={tokenizer(GUIDELLM, folder)}",
        "--profile", f"kind=concurrent,streams={load.streams}",
        "--constraint", f"kind=max_requests,count={load.requests}",
        "--data", f"kind=synthetic_text,prompt_tokens=8,output_tokens={load.tokens}", "--output", f"kind=json,path={out}",
        "--disable-console-interactive",
    ]  # fmt: skip
    assert ran(command, folder), f"guidellm failed; see {folder / 'said.txt'}"
    return out, out


TOOLS: dict[str, tuple[Path, Callable[[Path, Truth, Load], tuple[Path, Path]]]] = {
    "vllm_bench": (VLLM, vllm_bench),
    "aiperf": (AIPERF, aiperf),
    "guidellm": (GUIDELLM, guidellm),
}


def record(folder: Path, truth: Truth, load: Load) -> Path:
    """Record the load with racelog, on the core that the benchmarks give it."""
    path = folder / "race.rlog"
    command = [
        *pinned(CLIENT_CORE), sys.executable, "-m", "racelog", "record", "--engine", f"truth={truth.url},model=truth",
        "--requests", str(load.requests), "--concurrency", str(load.streams), "--max-tokens", str(load.tokens),
        "--countdown", "0", "--no-preflight", "--no-ui", "-o", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
    return path


def in_dialect(dialect: str, race: Path) -> Numbers:
    """Return what the dialect's macro says of a race."""
    rows = connect(race).execute(f"SELECT metric, mean, p50, p90, p99 FROM {dialect}()").fetchall()
    return {
        metric: dict(zip(("mean", "p50", "p90", "p99"), numbers, strict=True)) for metric, *numbers in rows
    }


def table(folder: Path, load: Load) -> Iterator[str]:
    """Run every tool that is here; yield the table's lines, in Markdown."""
    yield "| tool | metric (ms) | the tool says: p50 / p99 | our macro of its file | our macro of our record | truth |"
    yield "| --- | --- | --: | --: | --: | --: |"
    late = []
    with truth_server(folder, load.tokens) as truth:
        recorded = record(folder, truth, load)
        late.append(f"racelog {truth.stats()['late_us']['p99'] / 1000:.2f}")
        for dialect, (program, run) in TOOLS.items():
            if not program.exists():
                yield f"| {dialect} | not installed | | | | |"
                continue
            inside = folder / dialect
            inside.mkdir()
            results, summary = run(inside, truth, load)
            late.append(f"{dialect} {truth.stats()['late_us']['p99'] / 1000:.2f}")
            imported = import_results(results, inside / "race.rlog").path
            columns = (
                own_numbers(dialect, summary),
                in_dialect(dialect, imported),
                in_dialect(dialect, recorded),
            )
            for metric, true_ms in load.truth(dialect).items():
                told = " | ".join(f"{one[metric]['p50']:.2f} / {one[metric]['p99']:.2f}" for one in columns)
                yield f"| {dialect} | {metric} | {told} | {true_ms:.2f} |"
    yield ""
    yield f"How late the server itself was, p99 in ms: {', '.join(late)}."


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("streams", 16), ("rounds", 4), ("tokens", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for line in table(Path(folder), Load(asked.streams, asked.rounds, asked.tokens)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
