"""The SQL contract: every table, its columns in order, their types, units and meaning.

Other programs read these names. Columns may be added; none is ever renamed, retyped or removed. Every ``_ns`` time
is nanoseconds since the race's origin; ``t_ns + races.mono_origin_ns`` is the recording host's ``CLOCK_MONOTONIC``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, DuckDB type, and what it holds."""

    name: str
    type: str
    meaning: str


Columns = dict[str, Any]
"""Column name -> list or numpy array of its values."""

Batch = tuple[str, Columns]
"""A table's name and columns to append to it."""

TABLES: dict[str, tuple[Column, ...]] = {
    "races": (
        Column("race_id", "VARCHAR", "names the race everywhere"),
        Column("name", "VARCHAR", "what its plan calls it"),
        Column("path", "VARCHAR", "the log it was read from"),
        Column("started_at", "TIMESTAMP", "wall clock at the start, UTC"),
        Column("duration_s", "DOUBLE", "the longest lane's racing time"),
        Column("status", "VARCHAR", "finished, stopped, partial (a lane's recorder died) or unfinished"),
        Column("seed", "BIGINT", "seed of prompts and schedule"),
        Column("mono_origin_ns", "BIGINT", "CLOCK_MONOTONIC of the recording host at t = 0"),
        Column("racelog_version", "VARCHAR", "the racelog that recorded it"),
        Column("format_version", "INTEGER", "version of the log format"),
        Column("grid", "VARCHAR", "together or time-trial"),
        Column("concurrency", "INTEGER", "requests in flight per lane, as planned; 0 in an open loop"),
        Column("winner_lane_id", "INTEGER", "lane in first place; NULL without one, and no_winner says why"),
        Column("damaged_bytes", "BIGINT", "bytes of the log that hold no readable unit; 0 in a whole log"),
        Column(
            "client_limited", "BOOLEAN", "the recorder was the bottleneck; NULL where the log does not tell"
        ),
        Column("client_limited_reason", "VARCHAR", "why, in words; NULL where it was not"),
        Column("rate_per_s", "DOUBLE", "requests a second per lane of an open loop; NULL in a closed one"),
        Column(
            "arrival", "VARCHAR", "how they were spaced: poisson, constant or gamma; NULL in a closed loop"
        ),
        Column(
            "max_open", "INTEGER", "requests of an open loop in flight per lane at most; NULL without a cap"
        ),
        Column("start_spread_us", "DOUBLE", "last minus first start of lanes told to start as one"),
        Column(
            "imported_from",
            "VARCHAR",
            "the tool and file it was imported from; NULL when racelog recorded it",
        ),
        Column("no_winner", "VARCHAR", "why nobody won, in words; NULL where somebody did"),
        Column(
            "not_like_for_like", "VARCHAR", "what makes the lanes no match for each other; NULL without it"
        ),
        Column("caveat", "VARCHAR", "what of the comparison cannot be known; NULL without it"),
        Column("finish_share", "DOUBLE", "share of its requests a lane had to finish, 0 to 1"),
    ),
    "lanes": (
        Column("race_id", "VARCHAR", "race of the lane"),
        Column("lane_id", "INTEGER", "the lane within its race"),
        Column("t_start_ns", "BIGINT", "the lane's own start; NULL when it never started"),
        Column("engine", "VARCHAR", "name of the engine"),
        Column("model", "VARCHAR", "model it serves"),
        Column("url", "VARCHAR", "where it is reached"),
        Column("dialect", "VARCHAR", "API it speaks"),
        Column("color", "VARCHAR", "colour it is drawn in"),
        Column("emoji", "VARCHAR", "emoji it is drawn with"),
        Column("transport", "VARCHAR", "what carried its bytes and stamped them"),
        Column(
            "status",
            "VARCHAR",
            "waiting, racing, finished, stopped or died (racelog's own process of the lane)",
        ),
        Column("t_end_ns", "BIGINT", "the lane's end; NULL when none was recorded"),
        Column("reason", "VARCHAR", "why it stopped, or why racelog's process of it died"),
        Column("kept", "VARCHAR", "token chunks in the log: all, or the ends of each request alone"),
        Column(
            "final_place",
            "INTEGER",
            "1 won; NULL without a number, for a DNF, and in a race not like for like",
        ),
        Column("dnf", "VARCHAR", "why it did not finish; NULL for a lane that did, or still races"),
        Column(
            "cached_share",
            "DOUBLE",
            "share of its prompt tokens that came from its cache; NULL: it never says",
        ),
        Column(
            "request_path", "VARCHAR", "where its requests went, under url; NULL where the log does not say"
        ),
    ),
    "requests": (
        Column("race_id", "VARCHAR", "race of the request"),
        Column("lane_id", "INTEGER", "lane it was sent on"),
        Column("request_id", "BIGINT", "the request within its lane"),
        Column("prompt_id", "BIGINT", "the prompt; the same in every lane"),
        Column("phase", "VARCHAR", "warmup or race; only race counts in the numbers"),
        Column("status", "VARCHAR", "ok, failed, cancelled or open"),
        Column("error_kind", "VARCHAR", "what kind of failure; NULL without one"),
        Column("http_status", "INTEGER", "status code of the response"),
        Column("t_scheduled_ns", "BIGINT", "intended send time"),
        Column("t_sent_ns", "BIGINT", "right before the bytes went to the kernel"),
        Column("t_headers_ns", "BIGINT", "response headers arrived"),
        Column("t_first_token_ns", "BIGINT", "first token chunk arrived"),
        Column("t_last_token_ns", "BIGINT", "last token chunk arrived"),
        Column("t_end_ns", "BIGINT", "last byte arrived, or the request failed"),
        Column("input_tokens", "BIGINT", "the server's count; NULL when it sends none"),
        Column("output_tokens", "BIGINT", "by the best basis there is, see token_basis"),
        Column("token_basis", "VARCHAR", "usage, server (counts per chunk) or chunks"),
        Column("chunks", "BIGINT", "token chunks that arrived"),
        Column("ttft_ms", "DOUBLE", "first token chunk minus sent"),
        Column(
            "tpot_ms",
            "DOUBLE",
            "(last - first token chunk) / (streamed tokens - 1); NULL for an answer in one piece",
        ),
        Column("e2e_ms", "DOUBLE", "last byte minus sent"),
        Column("finish_reason", "VARCHAR", "why the model stopped, in the server's word"),
        Column("prompt", "VARCHAR", "text of the prompt's last message"),
        Column("response", "VARCHAR", "text of all token chunks"),
        Column("ttfo_ms", "DOUBLE", "first content chunk minus sent"),
        Column("error_message", "VARCHAR", "the failure in words; NULL without one"),
        Column("connection", "VARCHAR", "new, reused, or reopened after the server had dropped it"),
        Column("queue_ms", "DOUBLE", "sent minus scheduled: the wait before any service"),
        Column("connect_ms", "DOUBLE", "all that connecting took; NULL for a connection that was there"),
        Column("dns_ms", "DOUBLE", "of that, resolving the name; NULL without one"),
        Column("tcp_ms", "DOUBLE", "of that, connecting to the address"),
        Column("tls_ms", "DOUBLE", "of that, the TLS handshake; NULL without TLS"),
        Column("t_first_chunk_ns", "BIGINT", "first chunk of any kind arrived, be it a role alone"),
        Column(
            "t_last_chunk_ns",
            "BIGINT",
            "last chunk arrived, be it the finish alone; not the usage that closes a stream",
        ),
        Column("lead_chunks", "BIGINT", "chunks without text before the first token chunk, as a role alone"),
        Column(
            "trail_chunks",
            "BIGINT",
            "chunks without text after the last token chunk, as the finish; not the usage",
        ),
        Column(
            "cached_tokens", "BIGINT", "of the prompt, found in the server's cache; NULL when it does not say"
        ),
        Column(
            "reasoning_tokens",
            "BIGINT",
            "of the answer, for reasoning, streamed or not; NULL when it does not say",
        ),
        Column(
            "total_tokens",
            "BIGINT",
            "of prompt and answer, in the server's own sum; NULL when it does not say",
        ),
        Column(
            "one_piece",
            "BOOLEAN",
            "all of its text came at once (within 20 us a chunk), so that it has no TPOT and no ITL",
        ),
    ),
    "tokens": (
        Column("race_id", "VARCHAR", "race of the chunk"),
        Column("lane_id", "INTEGER", "lane it arrived on"),
        Column("request_id", "BIGINT", "request it answers"),
        Column("seq", "BIGINT", "0, 1, 2 ... within the request"),
        Column("t_ns", "BIGINT", "arrival"),
        Column("kind", "VARCHAR", "content, reasoning or tool"),
        Column("text", "VARCHAR", "the text it carried"),
        Column("n_tokens", "BIGINT", "tokens in the chunk, where the server says so"),
        Column("stamp", "VARCHAR", "who stamped it: kernel or user"),
        Column("coalesced", "BOOLEAN", "read together with a later chunk, so stamped no later than it"),
    ),
    "host_samples": (
        Column("race_id", "VARCHAR", "race of the sample"),
        Column("process", "VARCHAR", "process it is of; host is the whole machine"),
        Column("t_ns", "BIGINT", "when it was read"),
        Column("cpu_pct", "DOUBLE", "CPU in use; 100 is one core"),
        Column("rss_mib", "DOUBLE", "resident memory"),
        Column("loop_lag_us", "DOUBLE", "how late the process's event loop woke"),
        Column("pump_batch", "DOUBLE", "reads per drain of the sockets since the row before"),
        Column("pump_batch_max", "DOUBLE", "the largest such drain"),
        Column("backlog", "DOUBLE", "batches that waited for the disk"),
    ),
    "health": (
        Column("race_id", "VARCHAR", "race of the lane"),
        Column("lane_id", "INTEGER", "the lane whose recorder this is about"),
        Column(
            "client_limited", "BOOLEAN", "the recorder was the bottleneck; NULL where the log does not tell"
        ),
        Column("reason", "VARCHAR", "why, in words; NULL where it was not"),
        Column("samples", "BIGINT", "readings of the lane's process while it raced"),
        Column("cpu_pct_p50", "DOUBLE", "median CPU of the process; 100 is one core"),
        Column("full_share", "DOUBLE", "share of readings at 90 % of a core with a loop 2 ms late, 0 to 1"),
        Column("loop_lag_p99_us", "DOUBLE", "how late its event loop woke; 99 of 100 were less"),
        Column("longest_lag_ms", "DOUBLE", "the longest that its event loop was ever late"),
        Column("late_start_ms", "DOUBLE", "how long after the agreed instant the lane began"),
        Column("coalesced_share", "DOUBLE", "share of token chunks read together with a later one"),
        Column("user_share", "DOUBLE", "share of token chunks stamped by the program, not the kernel"),
        Column(
            "late_send_share",
            "DOUBLE",
            "share of an open loop's requests sent 5 ms late by the client, 0 to 1",
        ),
        Column("most_waiting", "BIGINT", "batches that waited for the disk at most"),
        Column("lost_chunks", "BIGINT", "chunks the recorder dropped"),
        Column("lost_events", "BIGINT", "other facts the recorder dropped"),
        Column(
            "calibration_streams", "BIGINT", "streams of the calibration before the race; NULL without one"
        ),
        Column("calibration_tokens_per_s", "DOUBLE", "tokens a second it was fed"),
        Column("calibration_p50_us", "DOUBLE", "median stamp error found"),
        Column("calibration_p99_us", "DOUBLE", "its 99th percentile"),
        Column("calibration_max_us", "DOUBLE", "its greatest"),
        Column("calibration_stamp", "VARCHAR", "who stamped: kernel or user"),
        Column("calibration_tls", "BOOLEAN", "its streams came over TLS; else they were plain HTTP"),
    ),
    "gpu_samples": (
        Column("race_id", "VARCHAR", "race of the sample"),
        Column("source", "VARCHAR", "what read it"),
        Column("device", "INTEGER", "index of the GPU"),
        Column("t_ns", "BIGINT", "when it was read"),
        Column("util_pct", "DOUBLE", "share of time a kernel ran"),
        Column("mem_used_mib", "DOUBLE", "memory in use"),
        Column("mem_total_mib", "DOUBLE", "memory there is"),
        Column("power_w", "DOUBLE", "power drawn"),
        Column("temp_c", "DOUBLE", "temperature"),
        Column("sm_clock_mhz", "DOUBLE", "clock of the multiprocessors"),
        Column("energy_j", "DOUBLE", "energy counter"),
        Column("name", "VARCHAR", "the GPU's product name"),
    ),
    "engine_samples": (
        Column("race_id", "VARCHAR", "race of the sample"),
        Column("lane_id", "INTEGER", "the engine's lane"),
        Column("t_ns", "BIGINT", "when the engine was asked"),
        Column("running", "DOUBLE", "requests it was answering"),
        Column("waiting", "DOUBLE", "requests in its queue"),
        Column("kv_cache_pct", "DOUBLE", "share of its KV cache in use"),
        Column("input_tokens", "DOUBLE", "prompt tokens since it was started"),
        Column("output_tokens", "DOUBLE", "tokens it generated since then"),
        Column("cached_tokens", "DOUBLE", "prompt tokens found in its prefix cache since then"),
        Column("preemptions", "DOUBLE", "requests put back into the queue since then"),
        Column("source", "VARCHAR", "what was asked"),
    ),
    "controls": (
        Column("race_id", "VARCHAR", "race of the order"),
        Column("t_ns", "BIGINT", "instant it was for"),
        Column("what", "VARCHAR", "go, pause, resume, stop, cancel or eliminate"),
        Column("lane_id", "INTEGER", "lane it was for; NULL for all"),
        Column("given_by", "VARCHAR", "plan, user or signal"),
        Column("reason", "VARCHAR", "why; NULL without a word"),
    ),
    "standings": (
        Column("race_id", "VARCHAR", "race of the standing"),
        Column("position_s", "DOUBLE", "seconds since each lane's own start: whole ones, and the end"),
        Column("t_ns", "BIGINT", "the instant that this position is on this lane"),
        Column("lane_id", "INTEGER", "lane that stands"),
        Column("place", "INTEGER", "1 leads, by median TTFT; NULL before the first token, and as in lanes"),
        Column("ttft_p50_ms", "DOUBLE", "median TTFT so far"),
        Column("ok", "BIGINT", "requests answered so far"),
        Column("failed", "BIGINT", "requests that failed so far"),
        Column("output_tokens", "BIGINT", "output tokens so far, open requests by chunks"),
        Column(
            "status",
            "VARCHAR",
            "waiting, racing, finished, stopped or died (racelog's own process of the lane)",
        ),
        Column("dnf", "VARCHAR", "why it did not finish, or can no longer; NULL otherwise"),
    ),
    "anomalies": (
        Column("race_id", "VARCHAR", "race of the anomaly"),
        Column("lane_id", "INTEGER", "lane it happened on"),
        Column("t_ns", "BIGINT", "the instant it began"),
        Column("position_s", "DOUBLE", "the same in seconds since the lane's own start"),
        Column("kind", "VARCHAR", "latency-spike, error-rise, throughput-drop or outlier"),
        Column("request_id", "BIGINT", "the request, of an outlier; NULL for the others"),
        Column("before", "DOUBLE", "what was usual, in unit"),
        Column("now", "DOUBLE", "what it came to, in unit"),
        Column("unit", "VARCHAR", "unit of before and now"),
        Column("text", "VARCHAR", "the anomaly in words"),
        Column("causes", "VARCHAR", "what in this log may explain it"),
        Column("advice", "VARCHAR", "where to look next"),
    ),
    "commentary": (
        Column("race_id", "VARCHAR", "race that is commented on"),
        Column("t_ns", "BIGINT", "the instant"),
        Column("position_s", "DOUBLE", "the same in seconds of the replay"),
        Column("lane_id", "INTEGER", "lane it is about; NULL when about the race"),
        Column("key", "VARCHAR", "what kind of comment it is"),
        Column("tone", "VARCHAR", "info, good, warn or error"),
        Column(
            "level", "VARCHAR", "the least talkative commentator who would say it: quiet, normal or verbose"
        ),
        Column("text", "VARCHAR", "what is said"),
    ),
    "insights": (
        Column("race_id", "VARCHAR", "race of the insight"),
        Column("lane_id", "INTEGER", "lane it is about; NULL when about the race"),
        Column("t_ns", "BIGINT", "the instant it was known"),
        Column("position_s", "DOUBLE", "the same in seconds of the replay"),
        Column("share", "DOUBLE", "how much of the race was run, 0 to 1"),
        Column("category", "VARCHAR", "speed, reliability, efficiency or cost"),
        Column("priority", "VARCHAR", "high, medium or low"),
        Column("text", "VARCHAR", "the insight in words"),
        Column("reason", "VARCHAR", "the numbers behind it"),
    ),
    "achievements": (
        Column("race_id", "VARCHAR", "race of the achievement"),
        Column("lane_id", "INTEGER", "lane that has it, or not yet"),
        Column("key", "VARCHAR", "names the achievement everywhere"),
        Column("name", "VARCHAR", "its title"),
        Column("category", "VARCHAR", "speed, reliability, efficiency or cost"),
        Column("unlocked_at_ns", "BIGINT", "the instant it was unlocked; NULL when it was not"),
        Column("progress", "DOUBLE", "the nearest the lane came, 0 to 1; 1 when unlocked"),
        Column("unlocked_position_s", "DOUBLE", "the instant in seconds since the lane's own start"),
        Column("rule", "VARCHAR", "what it takes, in words"),
    ),
    "marks": (
        Column("race_id", "VARCHAR", "race of the mark"),
        Column("t_ns", "BIGINT", "the instant"),
        Column("label", "VARCHAR", "its name"),
        Column("set_by", "VARCHAR", "user or auto"),
    ),
}


def create_tables(connection: duckdb.DuckDBPyConnection, prefix: str = "") -> None:
    """Create every table, empty, its name after ``prefix``."""
    connection.execute(in_one_transaction(table_statements(prefix)))


def comment_columns(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    """Make the meaning of each column of some tables its comment, for ``duckdb_columns()``. Cost: one transaction."""
    connection.execute(in_one_transaction(comment_statements(tables)))


def table_statements(prefix: str = "") -> list[str]:
    """Return what creates every table, its name after ``prefix``."""
    return [
        f"CREATE TABLE {prefix}{table} ({', '.join(f'{column.name} {column.type}' for column in columns)})"
        for table, columns in TABLES.items()
    ]


def comment_statements(tables: Iterable[str]) -> list[str]:
    """Return what makes the meaning of each column of some tables its comment."""
    return [
        f"COMMENT ON COLUMN {table}.{column.name} IS '{column.meaning.replace(chr(39), chr(39) * 2)}'"
        for table in tables
        for column in TABLES[table]
    ]


def in_one_transaction(statements: Iterable[str]) -> str:
    """Return several statements as one text that does all of them or none."""
    return ";\n".join(["BEGIN", *statements, "COMMIT"])
