"""What a tool reports of its own run, read from the file it wrote, under the names of our dialects' metrics."""

import json
from pathlib import Path
from typing import Any

QUANTITIES = ("mean", "p50", "p90", "p99")

AIPERF = {
    "ttft": "time_to_first_token",
    "ttfo": "time_to_first_output_token",
    "inter_token_latency": "inter_token_latency",
    "inter_chunk_latency": "inter_chunk_latency",
    "request_latency": "request_latency",
}
GUIDELLM = {
    "ttft": "time_to_first_token_ms",
    "inter_token_latency": "inter_token_latency_ms",
    "time_per_output_token": "time_per_output_token_ms",
    "request_latency": "request_latency",
}
VLLM_BENCH = ("ttft", "tpot", "itl", "e2el")

Numbers = dict[str, dict[str, float]]
"""Metric -> mean, p50, p90 and p99 in ms."""


def own_numbers(dialect: str, path: Path) -> Numbers:
    """Return what the tool of ``dialect`` says in ``path``: its summary, which for vllm bench and guidellm is in the results."""
    report = json.loads(path.read_text(encoding="utf-8"))
    if dialect == "aiperf":
        return {
            metric: {"mean": report[name]["avg"], **{p: report[name][p] for p in QUANTITIES[1:]}}
            for metric, name in AIPERF.items()
        }
    if dialect == "vllm_bench":
        return {
            metric: {quantity: report[f"{quantity}_{metric}_ms"] for quantity in QUANTITIES}
            for metric in VLLM_BENCH
        }
    metrics = report["benchmarks"][0]["metrics"]
    return {metric: _guidellm(metrics[name]["successful"], name) for metric, name in GUIDELLM.items()}


def _guidellm(found: dict[str, Any], name: str) -> dict[str, float]:
    unit = 1000 if name == "request_latency" else 1
    return {"mean": found["mean"] * unit, **{p: found["percentiles"][p] * unit for p in QUANTITIES[1:]}}
