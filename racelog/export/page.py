"""The race as one page: charts, requests to sort, each request's tokens on a time line. No network, no server.

The page holds its data and its program and forbids itself everything else (a Content-Security-Policy without any
source). Text from models is data in a JSON island and reaches the page as text nodes alone.
"""

import secrets
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from racelog.display.colours import ON_DARK, ON_LIGHT, colors_of
from racelog.display.figures import UNKNOWN, duration, number, percent
from racelog.display.text import printable, printable_values
from racelog.export.single import write_single
from racelog.export.source import Source
from racelog.views.summary import LaneSummary, RaceSummary

MOST_TOKENS = 200_000
"""Beyond so many token chunks (some 6 MB) the later requests go without a time line, and the page says so."""

REQUESTS = (
    "SELECT lane_id, request_id, phase, status, error_kind, http_status, t_sent_ns, t_first_token_ns, t_end_ns, "
    "input_tokens, output_tokens, token_basis, ttft_ms, tpot_ms, e2e_ms, finish_reason, prompt, response "
    "FROM requests ORDER BY t_sent_ns NULLS LAST, lane_id, request_id"
)
TOKENS = "SELECT lane_id, request_id, t_ns, text FROM tokens ORDER BY t_ns, lane_id, request_id, seq"


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.html``.

    Raises:
        InputError: it is there already and ``force`` is not set.
        StorageError: it cannot be written.
    """
    return write_single(
        source, folder, form, lambda: page(source).encode("utf-8", errors="replace"), force=force
    )


def page(source: Source) -> str:
    """Return the page as text."""
    parts = files("racelog.export") / "parts"
    script = (parts / "page.js").read_text(encoding="utf-8")
    style = (parts / "page.css").read_text(encoding="utf-8")
    # "<" never appears in the island, so no text of a model can end it.
    shown = printable_values(msgspec.to_builtins(data(source)))
    island = msgspec.json.encode(shown).decode("utf-8").replace("<", "\\u003c")
    policy = f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'"
    template = (parts / "page.html").read_text(encoding="utf-8")
    filled = {
        "policy": escape(policy, quote=True),
        "title": escape(printable(source.summary.name or source.summary.race_id)),
        "style": style,
        "script": script,
        "data": island,
    }
    marker = secrets.token_hex(8)  # so that no text of the race can stand for another part
    for name in filled:
        template = template.replace(f"{{{{{name}}}}}", f"{marker}{name}{marker}")
    for name, text in filled.items():
        template = template.replace(f"{marker}{name}{marker}", text)
    return template


def data(source: Source) -> dict[str, Any]:
    """Return what the page shows: the summary, the lanes, a row a request, tokens by request."""
    tokens: dict[str, list[list[Any]]] = {}
    left_out = 0
    for before, row in enumerate(source.rows(TOKENS)):
        if before >= MOST_TOKENS:
            left_out += 1
            continue
        key = f"{row['lane_id']}/{row['request_id']}"
        tokens.setdefault(key, []).append([row["t_ns"] / 1e6, row["text"]])
    return {
        "summary": msgspec.to_builtins(source.summary),
        "colors": _colors(source.summary),
        "palette": [ON_LIGHT.lanes, ON_DARK.lanes],
        "figures": {lane.lane: _figures(lane) for lane in source.summary.lanes},
        "starts": {str(row["lane_id"]): row["t_start_ns"] for row in source.rows("FROM lanes")},
        "requests": list(source.rows(REQUESTS)),
        "gpus": list(source.rows("SELECT device, t_ns, util_pct, power_w FROM gpu_samples ORDER BY t_ns")),
        "tokens": tokens,
        "left_out": left_out,
        "warnings": source.warnings(),
        "imported_from": next(source.rows("SELECT imported_from FROM races"))["imported_from"],
    }


def _colors(race: RaceSummary) -> dict[int, list[str]]:
    """Return each lane's colour on a light page and on a dark one, as player and card have it."""
    wishes = [(lane.lane, lane.color) for lane in race.lanes]
    light, dark = colors_of(wishes, ON_LIGHT), colors_of(wishes, ON_DARK)
    return {lane: [light[lane], dark[lane]] for lane in light}


def _figures(lane: LaneSummary) -> list[str]:
    """Return a lane's numbers as the table has them, first to last column."""
    spreads = [
        (lane.ttft_ms, ("p50", "p90", "p99")),
        (lane.tpot_ms, ("p50", "p99")),
        (lane.itl_ms, ("p50", "p99")),
    ]
    times = [
        UNKNOWN if spread is None else duration(getattr(spread, name))
        for spread, names in spreads
        for name in names
    ]
    rate = UNKNOWN if lane.tokens_per_s is None else number(lane.tokens_per_s)
    success = UNKNOWN if lane.success_rate is None else percent(lane.success_rate)
    return [*times, rate, success, f"{lane.ok:,}", f"{lane.failed:,}"]


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
