"""Races of any length made from real answers: the texts are a model's, the timing is drawn.

The corpus (tests/bench/corpus/README.md) holds a few hundred short answers recorded through racelog from a real server.
A made request is several of them one after another; each lane plays all of them before it plays one again, so that
within a unit of a sealed file text repeats little more than it did in the recording. Gaps are log-normal: what a streaming server's look like,
and nothing a compressor could learn. Everything is drawn from one seed: sizes are the same in every run.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from racelog.events import (
    AnyEvent,
    Head,
    LaneFacts,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.log.read.reader import open_log
from racelog.log.rows.chunks import ChunkRow, chunk_rows, columns
from racelog.log.write.segment import SegmentWriter

CORPUS = Path(__file__).parent / "corpus" / "smollm2.rlog"
FLUSH_NS = 250_000_000
SIGMA = 0.35
"""Of the logarithm of a gap: a tenth of them are longer than 1.5 times the usual one."""


def corpus_answers(path: Path = CORPUS) -> list[list[str]]:
    """Return the token texts of every answer in the corpus."""
    answers: dict[tuple[int, int], list[str]] = {}
    for batch in open_log(path).of(Tokens):
        for _, request, text, kind, _, _ in chunk_rows(batch):
            if kind == "c":
                answers.setdefault((batch.lane, request), []).append(text)
    return list(answers.values())


@dataclass
class MadeRace:
    """A race of ``tokens`` in all, ``seconds`` long, on lanes of so many streams each."""

    tokens: int
    seconds: float
    lanes: int = 3
    streams: int = 16
    answers_per_request: int = 6
    seed: int = 7
    answers: list[list[str]] = field(default_factory=corpus_answers)

    def lane_units(self, lane: int) -> Iterator[list[AnyEvent]]:
        """Yield what one lane's recorder would commit at every flush."""
        for _, window in groupby(self._lane(lane), key=lambda item: item[0] // FLUSH_NS):
            events: list[AnyEvent] = []
            rows: list[ChunkRow] = []
            for _, _, what in window:
                if isinstance(what, tuple):
                    rows.append(what)
                else:
                    events.append(what)
            yield [*events, columns(lane, rows)] if rows else events

    def head(self, lane: int) -> Head:
        """Return the head of one lane's segment."""
        return Head(t=0, race_id="made", writer=f"{lane + 1:016x}", role="lane", mono_origin_ns=0, lane=lane)

    def write_segments(self, folder: Path) -> Path:
        """Write the race as a running one's directory; return it."""
        folder.mkdir(parents=True)
        for lane in range(self.lanes):
            with SegmentWriter(folder / f"lane-{lane}.rlog", self.head(lane)) as writer:
                for unit in self.lane_units(lane):
                    writer.commit(unit)
                writer.finish(int(self.seconds * 1e9))
        return folder

    def _lane(self, lane: int) -> Iterator[tuple[int, int, ChunkRow | AnyEvent]]:
        """Yield (t, order, row or event) of one lane in time order."""
        yield 0, 0, RaceFacts(t=0, race_id="made", name="made", started_at="", seed=self.seed)
        yield (
            0,
            0,
            LaneFacts(t=0, lane=lane, engine=f"engine-{lane}", model="smollm2", url="http://127.0.0.1"),
        )
        draw = random.Random(f"{self.seed} {lane}")
        share = self.tokens // (self.lanes * self.streams)
        pool: list[list[str]] = []
        players = [self._stream(lane, stream, share, draw, pool) for stream in range(self.streams)]
        yield from heapq.merge(*players, key=lambda item: item[:2])

    def _stream(
        self, lane: int, stream: int, share: int, draw: random.Random, pool: list[list[str]]
    ) -> Iterator[tuple[int, int, ChunkRow | AnyEvent]]:
        """Yield one stream's requests, one after another, until it has given its share of tokens."""
        usual = (
            self.seconds * 1e9 / share / 1.07
        )  # 1.07: the mean of the log-normal, and the waits between requests
        t, given, request = int(draw.uniform(0, usual)), 0, stream
        while given < share:
            start = t
            yield t, stream, RequestScheduled(t=t, lane=lane, req=request, prompt=request)
            yield t, stream, RequestSent(t=t + 20_000, lane=lane, req=request, connection="reused")
            t += int(usual * 3)
            yield t, stream, ResponseHeaders(t=t, lane=lane, req=request, status=200)
            for _ in range(self.answers_per_request):
                pool[:] = pool or draw.sample(self.answers, len(self.answers))
                for text in pool.pop()[: share - given]:
                    t += int(usual * draw.lognormvariate(0, SIGMA))
                    given += 1
                    yield t, stream, (t, request, text, "c", None, "k")
            yield (
                t,
                stream,
                Usage(t=t, lane=lane, req=request, input_tokens=31, output_tokens=(t - start) // int(usual)),
            )
            yield t, stream, RequestEnd(t=t, lane=lane, req=request, status="ok", finish_reason="stop")
            request += self.streams
