"""SQL macros: percentiles, goodput, and each peer's dialect - the same log as that tool would report it.

A dialect gives a row a lane and metric: n, mean, p50, p90, p99 and max in milliseconds, and its definition in words. The tool's
way with percentiles is part of it: vllm bench and aiperf interpolate as numpy does, guidellm takes the least value that
is reached, and weighs what is per token by tokens.
Definitions are those of vllm's `benchmarks/lib/endpoint_request_func.py` and `serve.py` (2026), aiperf 0.13, guidellm
0.8.1, genai-perf 0.0.16 and llmperf (December 2024). Where a tool counts tokens with a tokenizer of its own, ours is
`output_tokens`, whose basis `requests.token_basis` tells. Only answered requests of the race itself count.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a dialect: its name there, an expression in ms, its definition, of what it is, and what weighs it."""

    name: str
    sql: str
    definition: str
    source: str = "picked"
    weight: str = "1"


_FIRST = "(t_first_chunk_ns - t_sent_ns) / 1e6"
_TTFT = Metric("ttft", "ttft_ms", "first chunk with text - sent")
_LAST = "(t_last_token_ns - t_sent_ns) / 1e6"
_GAPS_OF_REQUEST = "CASE WHEN output_tokens > 1 THEN output_tokens - 1 END"
_MEAN_GAP = f"(t_last_token_ns - t_first_token_ns) / 1e6 / {_GAPS_OF_REQUEST}"

DIALECTS: dict[str, tuple[Metric, ...]] = {
    "vllm_bench": (
        Metric("ttft", _FIRST, "first chunk with choices, be it a role alone - sent"),
        Metric(
            "tpot",
            f"(t_last_chunk_ns - t_first_chunk_ns) / 1e6 / {_GAPS_OF_REQUEST}",
            "(last chunk with choices - first) / (output tokens - 1), per request",
        ),
        Metric("itl", "gap_ms", "gaps between chunks with choices, pooled", "message_gaps"),
        Metric("e2el", "(t_last_chunk_ns - t_sent_ns) / 1e6", "last chunk with choices - sent"),
    ),
    "aiperf": (
        _TTFT,
        Metric("ttfo", "ttfo_ms", "first chunk with content, not reasoning - sent"),
        Metric(
            "inter_token_latency",
            _MEAN_GAP,
            "(last - first chunk with text) / (output tokens - 1), per request",
        ),
        Metric("inter_chunk_latency", "gap_ms", "gaps between chunks with text, pooled", "gaps"),
        Metric("request_latency", _LAST, "last chunk with text - sent"),
    ),
    "guidellm": (
        _TTFT,
        Metric(
            "inter_token_latency",
            _MEAN_GAP,
            "(last - first chunk with text) / (output tokens - 1), per request, weighed by output tokens - 1",
            weight=_GAPS_OF_REQUEST,
        ),
        Metric(
            "time_per_output_token",
            "(coalesce(t_last_token_ns, t_end_ns) - t_sent_ns) / 1e6 / nullif(output_tokens, 0)",
            "(last chunk with text - sent) / output tokens: includes the TTFT; weighed by output tokens",
            weight="output_tokens",
        ),
        Metric("request_latency", "e2e_ms", "end of the response - sent"),
    ),
    "genai_perf": (
        Metric("time_to_first_token", _FIRST, "first response of any kind - sent"),
        Metric(
            "inter_token_latency",
            "gap_ms / tokens",
            "gap / tokens of the response that ends it, pooled",
            "gaps",
        ),
        Metric("request_latency", "e2e_ms", "end of the response - sent"),
    ),
    "llmperf": (
        _TTFT,
        Metric(
            "inter_token_latency", f"{_LAST} / nullif(chunks, 0)", "(TTFT + all gaps) / chunks, per request"
        ),
        Metric("end_to_end_latency", "e2e_ms", "end of the response - sent"),
    ),
}

STEPWISE = frozenset({"guidellm"})
"""Tools whose percentile is the least value that so many reach; the others interpolate."""

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

_PICKED = """
    SELECT * FROM requests WHERE phase = 'race' AND status = 'ok' AND t_sent_ns IS NOT NULL AND CASE
        WHEN race = 'latest' THEN race_id = latest_race()
        ELSE starts_with(race_id, race) END
"""

# Outermost, for there the optimizer cannot leave it out: a filter on the macro's rows may empty all that lies within.
_KNOWN = """(
    SELECT CASE WHEN race IN ('', 'latest') OR fitting > 0 THEN true
        WHEN races = 0 THEN error(concat('no race ''', coalesce(race, 'NULL'), ''': there are none here'))
        ELSE error(concat('no race ''', coalesce(race, 'NULL'), ''' among the ', races, ' here; the newest: ', newest))
    END
    FROM (
        SELECT count(*) AS races, count(*) FILTER (WHERE starts_with(race_id, race)) AS fitting,
            array_to_string(max(race_id, 3), ', ') AS newest
        FROM races
    )
)"""

# Chunks of one message have one stamp and are not coalesced: between them is no gap.
_GAPS = """
    SELECT race_id, lane_id, t_ns, greatest(coalesce(n_tokens, 1), 1) AS tokens,
        CASE WHEN t_ns > before_ns OR joined THEN (t_ns - before_ns) / 1e6 END AS gap_ms
    FROM (
        SELECT *, lag(t_ns) OVER its_chunks AS before_ns, lag(coalesced) OVER its_chunks AS joined
        FROM tokens SEMI JOIN picked USING (race_id, lane_id, request_id)
        SEMI JOIN (FROM lanes WHERE kept = 'all') USING (race_id, lane_id)
        WINDOW its_chunks AS (PARTITION BY race_id, lane_id, request_id ORDER BY seq)
    )
"""

# A role of its own comes before the text and the finish after it: with them there is a gap more on either side.
_MESSAGE_GAPS = """
    SELECT race_id, lane_id, gap_ms FROM gaps WHERE gap_ms IS NOT NULL
    UNION ALL SELECT race_id, lane_id, (t_first_token_ns - t_first_chunk_ns) / 1e6 FROM picked WHERE lead_chunks > 0
    UNION ALL SELECT race_id, lane_id, (t_last_chunk_ns - t_last_token_ns) / 1e6 FROM picked WHERE trail_chunks > 0
"""

_INTERPOLATED = """
    count(ms) AS n, avg(ms) AS mean, median(ms) AS p50, quantile_cont(ms, 0.9) AS p90, quantile_cont(ms, 0.99) AS p99
"""

_RANKED = """
    SELECT *, sum(weight) OVER (PARTITION BY race_id, lane_id, place ORDER BY ms) AS reached,
        sum(weight) OVER (PARTITION BY race_id, lane_id, place) AS total
    FROM measured WHERE ms IS NOT NULL AND weight > 0
"""

_STEPWISE = """
    CAST(sum(weight) AS BIGINT) AS n, sum(ms * weight) / sum(weight) AS mean,
    min(ms) FILTER (WHERE reached >= 0.5 * total) AS p50, min(ms) FILTER (WHERE reached >= 0.9 * total) AS p90,
    min(ms) FILTER (WHERE reached >= 0.99 * total) AS p99
"""

GOODPUT = """
    SELECT race_id, lane_id, engine, count(*) FILTER (WHERE good) AS good, count(*) AS requests,
        count(*) FILTER (WHERE good) / nullif(count(*), 0) AS share,
        count(*) FILTER (WHERE good) / nullif((any_value(t_end) - any_value(t_start_ns)) / 1e9, 0) AS good_per_s
    FROM (
        SELECT requests.race_id, requests.lane_id, engine, t_start_ns,
            coalesce(lanes.t_end_ns, max(requests.t_end_ns) OVER (PARTITION BY requests.race_id, requests.lane_id)) AS t_end,
            coalesce(requests.status = 'ok' AND ttft_ms <= most_ttft_ms AND coalesce(tpot_ms, 0) <= most_tpot_ms
                AND e2e_ms <= most_e2e_ms, false) AS good
        FROM requests JOIN lanes USING (race_id, lane_id) WHERE phase = 'race')
    GROUP BY ALL ORDER BY ALL
"""


LATEST = "(SELECT max(race_id) FROM races)"
"""The latest race where all began here: their ids begin with when they did. `latest_statement` says otherwise."""


def latest_statement(latest: str) -> str:
    """Return what makes ``latest_race()`` the SQL ``latest``, for a home into which races came from elsewhere."""
    return f"CREATE OR REPLACE MACRO latest_race() AS {latest}"


def macro_statements() -> list[str]:
    """Return what creates every macro: ``p50(x)`` ..., ``goodput(...)``, and one a dialect, ``vllm_bench(race)`` ..."""
    statements = [latest_statement(LATEST)]
    statements += [f"CREATE MACRO {name}(x) AS quantile_cont(x, {q})" for name, q in PERCENTILES.items()]
    limits = ", ".join(f"most_{name}_ms := 'infinity'::DOUBLE" for name in ("ttft", "tpot", "e2e"))
    statements.append(f"CREATE MACRO goodput({limits}) AS TABLE {GOODPUT}")
    statements += [
        f"CREATE MACRO {name}(race := '') AS TABLE {dialect_query(metrics, stepwise=name in STEPWISE)}"
        for name, metrics in DIALECTS.items()
    ]
    return statements


def dialect_query(metrics: tuple[Metric, ...], *, stepwise: bool) -> str:
    """Return the query behind a dialect's macro; ``race`` in it is an id, a prefix, ``latest`` or empty for all.

    A race that nothing answers to is an error of the query, which names it and the newest there are.
    """
    measured = " UNION ALL ".join(
        f"SELECT race_id, lane_id, {place} AS place, '{metric.name}' AS metric, '{metric.definition}' AS definition, "  # noqa: S608 - our own words
        f"{metric.sql} AS ms, {metric.weight} AS weight FROM {metric.source}"
        for place, metric in enumerate(metrics)
    )
    return f"""
        WITH picked AS ({_PICKED}), gaps AS ({_GAPS}), message_gaps AS ({_MESSAGE_GAPS}), measured AS ({measured})
        SELECT * EXCLUDE (place) FROM (
            SELECT place, race_id, lane_id, engine, metric, {_STEPWISE if stepwise else _INTERPOLATED}, max(ms) AS max, definition
            FROM ({_RANKED if stepwise else "FROM measured"}) JOIN lanes USING (race_id, lane_id)
            GROUP BY race_id, lane_id, engine, place, metric, definition
        ) WHERE {_KNOWN} ORDER BY race_id, lane_id, place
    """  # noqa: S608 - our own words
