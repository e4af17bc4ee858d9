"""One engine in detail: percentiles, histograms, throughput, errors, requests worth a look. Pure."""

from functools import lru_cache

from racelog.display.text import counted
from racelog.views.details import DetailsView, Histogram, Percentiles, Sample
from racelog.views.race import LaneView
from racelog_player.panes.pages.heads import lane_heading
from racelog_player.panes.widgets import (
    beside,
    beside_each,
    between,
    line_width,
    ms_text,
    rate_text,
    scrolled,
    share_text,
    spark,
)
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat, left, right
from racelog_player.terminal.style import BAD, FAINT, HEADING, SOFT, STRONG, color_of

_WIDE = 110
_BLOCKS = " ▁▂▃▄▅▆▇█"
_HISTOGRAM_ROWS, _HISTOGRAM_MOST = 4, 24
_BAR_CELLS = 3
_TABLE_CELLS = 9 + 7 * 9
"""The table of latencies with all of its columns."""

_GIVE_WAY = ("p75", "p95", "min", "p90")


def details_pane(view: DetailsView, lane: LaneView, columns: int, rows: int, scroll: int) -> list[Line]:
    """Return the page, scrolled down by ``scroll`` rows where it does not fit."""
    about = (view.lane, view.engine, view.color, view.emoji)
    bare = lane_heading("DETAILS", about, "", columns)
    note = cut(flat(f"{view.model} · {view.url}"), columns - line_width(bare) - 4)
    head = lane_heading("DETAILS", about, note, columns)
    body = _wide(view, lane, columns, rows - 2) if columns >= _WIDE else _narrow(view, lane, columns)
    return [head, [], *scrolled(body, rows - 2, scroll)]


def _narrow(view: DetailsView, lane: LaneView, columns: int) -> list[Line]:
    parts = [_overview(lane, columns), _percentiles(view.percentiles, columns), _throughput(view, columns)]
    parts += [_histogram(one, columns, color_of(view.lane, view.color)) for one in view.histograms]
    parts += [_errors(view), _samples(view.samples, columns)]
    return [row for part in parts for row in [*part, []]]


def _wide(view: DetailsView, lane: LaneView, columns: int, rows: int) -> list[Line]:
    """Return the page for a wide screen: the histograms side by side, and as high as the rows that are left allow."""
    color = color_of(view.lane, view.color)
    table = _TABLE_CELLS if view.percentiles else columns // 2
    numbers = beside_each(
        [(_percentiles(view.percentiles, table), table), (_errors(view), columns - table - 3)], 2
    )
    above = [*_overview(lane, columns), [], *numbers, [], *_throughput(view, columns), []]
    below = _samples(view.samples, columns)
    count = max(1, len(view.histograms))
    cells = (columns - 2 * (count - 1)) // count
    high = min(_HISTOGRAM_MOST, max(_HISTOGRAM_ROWS, rows - len(above) - len(below) - 3))
    boxes = [_histogram(one, cells, color, high) for one in view.histograms]
    return [*above, *(beside(boxes, cells, 2) if boxes else []), *([[]] if boxes else []), *below]


def _overview(lane: LaneView, columns: int) -> list[Line]:
    """Return the lane's counts, on a second line what does not fit on the first."""
    done = lane.ok + lane.failed
    facts = [
        ("requests", f"{lane.requests_done:,}"), ("ok", f"{lane.ok:,}"), ("failed", f"{lane.failed:,}"),
        ("in flight", f"{lane.active:,}"), ("tokens", f"{lane.output_tokens:,}"),
        ("tok/s", rate_text(lane.output_tokens / lane.elapsed_s if lane.elapsed_s else None)),
        ("success", share_text(lane.ok / done if done else None)),
    ]  # fmt: skip
    lines: list[Line] = [[Span("   ")]]
    for name, value in facts:
        fact = [Span(value, BAD if name == "failed" and lane.failed else STRONG), Span(f" {name}", SOFT)]
        if line_width(lines[-1]) + line_width(fact) > columns:
            lines.append([Span("   ")])
        lines[-1] += [*fact, Span("   ")]
    return [[Span(" OVERVIEW", HEADING)], *lines]


def _percentiles(rows: list[Percentiles], columns: int) -> list[Line]:
    """Return the table of latencies; for want of room whole columns are left out, those in between first."""
    names = ["min", "p50", "p75", "p90", "p95", "p99", "max"]
    fit = max(3, (columns - 9) // 9)
    kept = (
        [name for name in names if name not in _GIVE_WAY[: len(names) - fit]] if fit < len(names) else names
    )
    head: Line = [Span(left(" LATENCY", 9), HEADING), *(Span(right(name, 9), SOFT) for name in kept)]
    lines = [head]
    for row in rows:
        values = dict(zip(names, [row.least, *row.values, row.most], strict=True))
        told = [Span(right(ms_text(values[name]), 9)) for name in kept]
        lines.append([Span(left(f"   {row.name}", 9)), *told])
    return lines if rows else [[Span(" LATENCY", HEADING)], [Span("   no request has completed yet", SOFT)]]


def _throughput(view: DetailsView, columns: int) -> list[Line]:
    cells = max(8, columns - 30)
    lines: list[Line] = [[Span(" THROUGHPUT", HEADING), Span("  each second so far", FAINT)]]
    for name, each in (("tokens", view.tokens_each_s), ("requests", view.requests_each_s)):
        peak = max(each, default=0)
        graph = spark(each, cells, peak)
        most = f"  peak {peak:,}/s" if peak else "  none yet" if each else "  not a whole second yet"
        lines.append(
            [
                Span(left(f"   {name}", 12)),
                Span(graph, Style(color_of(view.lane, view.color))),
                Span(most, SOFT),
            ]
        )
    return lines


@lru_cache(maxsize=64)
def _bars(counts: tuple[int, ...], cells: int, high: int) -> list[str]:
    """Return bars of eighths of a cell in ``high`` rows; from two cells on a blank parts them. Remembered: frames repeat."""
    peak, gap = max(counts, default=0), int(cells > 1)
    tops = [max(1, round(count / peak * high * 8)) if count else 0 for count in counts]
    return [
        "".join(_BLOCKS[max(0, min(8, top - row * 8))] * (cells - gap) + " " * gap for top in tops)
        for row in range(high - 1, -1, -1)
    ]


def _histogram(one: Histogram, columns: int, color: str, high: int = _HISTOGRAM_ROWS) -> list[Line]:
    """Return a histogram ``high`` rows high: bars of eighths of a cell, its scale below, the tail counted in words."""
    cells = min(_BAR_CELLS, max(1, (columns - 4) // len(one.counts)))
    lines: list[Line] = [
        [
            Span(f" {one.name}", HEADING),
            Span(f"  distribution, {counted(sum(one.counts) + one.beyond, 'request')}", FAINT),
        ]
    ]
    lines += [[Span("   "), Span(bars, Style(color))] for bars in _bars(tuple(one.counts), cells, high)]
    beyond = f" · {one.beyond:,} slower" if one.beyond else ""
    low, top = ms_text(one.low), ms_text(one.high) + beyond
    reach = min(columns - 3, max(len(one.counts) * cells, len(low) + len(top) + 2))
    scale = between([Span(low, SOFT)], [Span(top, SOFT)], reach)
    return [*lines, [Span("   "), *scale]]


def _errors(view: DetailsView) -> list[Line]:
    lines: list[Line] = [[Span(" ERRORS", HEADING)]]
    if not view.errors:
        return [*lines, [Span("   none", SOFT)]]
    lines += [
        [Span(right(f"{count:,}", 8), BAD), Span(f"  {flat(kind) or 'unnamed'}")]
        for kind, count in view.errors.items()
    ]
    return lines


def _samples(samples: list[Sample], columns: int) -> list[Line]:
    lines: list[Line] = [[Span(" SAMPLE REQUESTS", HEADING)]]
    for sample in samples:
        facts = f"TTFT {ms_text(sample.ttft_ms)} · {ms_text(sample.e2e_ms)} E2E · {counted(sample.tokens, 'token')}"
        if sample.why == "failed":
            facts = flat(sample.error) or "no reason recorded"
        style = BAD if sample.why == "failed" else STRONG
        lines.append(
            [
                Span(left(f"   {sample.why}", 13), style),
                Span(left(f"#{sample.req}", 8), FAINT),
                Span(cut(facts, columns - 22), SOFT),
            ]
        )
        told = flat(sample.prompt) + ("  →  " + flat(sample.text.strip()) if sample.text.strip() else "")
        lines.append([Span(" " * 13), Span(cut(told, columns - 14), FAINT)])
    return lines if samples else [*lines, [Span("   no request has ended yet", SOFT)]]
