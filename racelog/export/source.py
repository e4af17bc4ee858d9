"""What an export reads: a race's tables, its summary and its events, each the same as everywhere else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb

from racelog.home import find_race, home_folder
from racelog.log.read.reader import RaceLog, open_log
from racelog.log.rewrite.verify import lost_stretches
from racelog.query.connection.connect import load_races
from racelog.replay.race import RaceTracks, Replay
from racelog.views.evidence.health import health_line
from racelog.views.summary import RaceSummary, race_summary

ROWS_PER_FETCH = 10_000
LONGEST_STEM = 100
"""Characters of a race's id in a file's name: file systems allow 255 bytes, and a table's name and a suffix follow."""


@dataclass(frozen=True, slots=True)
class Source:
    """One race, opened for exporting."""

    log: RaceLog
    summary: RaceSummary
    connection: duckdb.DuckDBPyConnection

    @classmethod
    def read(cls, race: str | Path, home: str | Path | None = None) -> Self:
        """Open ``race``.

        Raises:
            RaceNotFound: nothing answers to it.
            LogError: it cannot be read.
        """
        path = find_race(str(race), home_folder(home))
        log = open_log(path)
        path = log.path  # another, where the race was sealed meanwhile
        loaded = load_races(path, home=home, unsafe=True)  # unsafe: our own COPY statements write the files
        return cls(log, race_summary(Replay(RaceTracks(log.events))), loaded.connection)

    @property
    def stem(self) -> str:
        """What the names of this race's files begin with: its id, made harmless."""
        return (
            re.sub(r"[^\w.-]", "_", self.summary.race_id or self.log.path.stem)[:LONGEST_STEM].lstrip(".")
            or "race"
        )

    def warnings(self) -> list[str]:
        """Return what a reader of the numbers must know first: what is lost, and that the client was the bottleneck."""
        lost = [f"damaged: {stretch}" for stretch in lost_stretches(self.log)]
        return [*lost, health_line(self.summary.health)] if self.summary.health.client_limited else lost

    def rows(self, query: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of one of our own queries as objects."""
        cursor = self.connection.cursor().execute(query)
        names = [column[0] for column in cursor.description or []]
        while batch := cursor.fetchmany(ROWS_PER_FETCH):
            for row in batch:
                yield dict(zip(names, row, strict=True))
