"""Other formats on the very same chunks: written and read through their own libraries, in their usual way.

One record a chunk for MCAP (zstd chunks), gzipped JSON lines and SQLite (WAL, 1,000 a transaction), because that is how
a recorder that writes as it goes uses them; one table for Parquet, which cannot be written as one goes. Reading gives
every value as a Python object.
"""

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

Chunk = tuple[int, int, int, str]
"""(t in nanoseconds, lane, request, text)."""


@dataclass(frozen=True)
class Peer:
    """A format: how its files are written and how all of a file is read."""

    name: str
    write: Callable[[Path, list[Chunk]], None]
    read: Callable[[Path], int]


def _write_mcap(path: Path, chunks: list[Chunk]) -> None:
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD)
        writer.start()
        schema = writer.register_schema("chunk", "jsonschema", b'{"type":"object"}')
        channel = writer.register_channel("chunks", "json", schema)
        for t, lane, request, text in chunks:
            data = json.dumps({"lane": lane, "req": request, "x": text}, separators=(",", ":")).encode()
            writer.add_message(channel, log_time=t, data=data, publish_time=t)
        writer.finish()


def _read_mcap(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _, _, message in make_reader(file).iter_messages() if json.loads(message.data))


def _write_jsonl(path: Path, chunks: list[Chunk]) -> None:
    with gzip.open(path, "wt", compresslevel=6, encoding="utf-8") as file:
        for t, lane, request, text in chunks:
            line = {"t": t, "lane": lane, "req": request, "x": text}
            file.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")


def _read_jsonl(path: Path) -> int:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return sum(1 for line in file if json.loads(line))


def _write_sqlite(path: Path, chunks: list[Chunk]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("pragma journal_mode=wal")
        con.execute("pragma synchronous=normal")
        con.execute("create table chunks (t integer, lane integer, req integer, x text)")
        for start in range(0, len(chunks), 1000):
            con.execute("begin")
            con.executemany("insert into chunks values (?, ?, ?, ?)", chunks[start : start + 1000])
            con.execute("commit")


def _read_sqlite(path: Path) -> int:
    with closing(sqlite3.connect(path)) as con:
        return len(con.execute("select * from chunks").fetchall())


def _write_parquet(path: Path, chunks: list[Chunk]) -> None:
    t, lane, req, x = zip(*chunks, strict=True)
    table = {"t": np.array(t), "lane": np.array(lane), "req": np.array(req), "x": np.array(x, dtype=object)}
    with duckdb.connect() as con:
        con.register("chunks", table)
        con.execute(f"copy chunks to '{path}' (format parquet, compression zstd, parquet_version v2)")


def _read_parquet(path: Path) -> int:
    with duckdb.connect() as con:
        columns = con.execute(f"select * from read_parquet('{path}')").fetchnumpy()
        lists = [column.tolist() for column in columns.values()]
    return len(lists[0])


PEERS = (
    Peer("MCAP, python, zstd", _write_mcap, _read_mcap),
    Peer("JSON lines + gzip", _write_jsonl, _read_jsonl),
    Peer("SQLite WAL, 1,000 a transaction", _write_sqlite, _read_sqlite),
    Peer("Parquet by DuckDB, zstd", _write_parquet, _read_parquet),
)
