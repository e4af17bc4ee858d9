"""The numbers of a race worked out from `racelog dump` by someone who knows JSON and docs/metrics.md, and nothing of ours.

No typed events, no folds, no SQL, no shared helper: dictionaries, lists and the standard library.
"""

import json
import statistics
from typing import Any

Numbers = dict[str, Any]


def numbers_by_lane(dump: str) -> dict[int, Numbers]:
    """Return each lane's numbers from the text that `racelog dump` prints."""
    lanes: dict[int, dict[int, dict[str, Any]]] = {}
    chunks: list[tuple[int, int, int, str, int | None, str]] = []  # lane, request, t, kind, tokens, stamp
    for line in dump.splitlines():
        event = json.loads(line)
        kind, lane, req = event["k"], event.get("lane"), event.get("req")
        if kind == "lane":
            lanes.setdefault(lane, {})
        elif kind == "req":
            lanes[lane][req] = {
                "phase": event.get("phase", "race"),
                "status": "open",
                "usage": None,
                "chunks": [],
            }
        elif kind == "sent":
            lanes[lane][req]["sent"] = event["t"]
        elif kind == "usage":
            lanes[lane][req]["usage"] = event.get("output_tokens")
        elif kind == "end":
            lanes[lane][req] |= {"status": event["status"], "end": event["t"]}
        elif kind == "tok":
            chunks += rows(event)
    for lane, req, t, kind, tokens, stamp in sorted(chunks, key=lambda chunk: chunk[2]):
        if kind in "crt":
            lanes[lane][req]["chunks"].append((t, tokens, stamp))
    return {lane: lane_numbers(list(requests.values())) for lane, requests in lanes.items()}


def rows(event: dict[str, Any]) -> list[tuple[int, int, int, str, int | None, str]]:
    t, found = event["t"], []
    for i, req in enumerate(event["r"]):
        t += event["d"][i]
        kind = event["c"][i] if event.get("c") else "c"
        stamp = event["s"][i] if event.get("s") else "k"
        found.append((event["lane"], req, t, kind, event["n"][i] if event.get("n") else None, stamp))
    return found


def lane_numbers(requests: list[dict[str, Any]]) -> Numbers:
    counted = [r for r in requests if r["phase"] == "race" and r["status"] == "ok"]
    ttft, tpot, e2e, itl, output = [], [], [], [], 0
    for request in counted:
        times = [t for t, _, _ in request["chunks"]]
        paced = bool(times) and times[-1] - times[0] > 20_000 * (len(times) - 1)  # else it came at once
        tokens = output_tokens(request)
        output += tokens
        for a, b in zip(request["chunks"], request["chunks"][1:], strict=False):
            one_message = b[0] == a[0] and a[2] in "ku"
            if paced and not one_message:
                itl.append((b[0] - a[0]) / 1e6)
        if "sent" in request:
            e2e.append((request["end"] - request["sent"]) / 1e6)
            if times:
                ttft.append((times[0] - request["sent"]) / 1e6)
        if paced and tokens >= 2:
            tpot.append((times[-1] - times[0]) / (tokens - 1) / 1e6)
    return {
        "ok": len(counted),
        "failed": sum(r["phase"] == "race" and r["status"] == "failed" for r in requests),
        "output_tokens": output,
        **{name: spread(v) for name, v in (("ttft", ttft), ("tpot", tpot), ("e2e", e2e), ("itl", itl))},
    }


def output_tokens(request: dict[str, Any]) -> int:
    if request["usage"] or (request["usage"] == 0 and not request["chunks"]):
        return int(request["usage"])
    told = [tokens for _, tokens, _ in request["chunks"]]
    if told and None not in told:
        return sum(told)
    return len(told)


def spread(values: list[float]) -> tuple[int, float, float, float] | None:
    """Return how many, the mean, the median and the largest; None of nothing."""
    if not values:
        return None
    return len(values), statistics.fmean(values), statistics.median(values), max(values)
