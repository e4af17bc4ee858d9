"""Random races for the laws of the log: scripted lanes, samples with many rows, marks, and kinds from the future."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from msgspec import Raw

from racelog.errors import LogError
from racelog.events import AnyEvent, Finish, GpuSamples, Head, HostSamples, Mark, Unknown
from racelog.log.read.reader import open_log
from racelog.log.rows.rows import facts_of, lane_of
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import Plan, ScriptedRace

MS = 1_000_000
HERE = Path(__file__)


def _reads(path: Path) -> bool:
    """Tell whether a vector is a log at all; some are there to be refused."""
    try:
        return open_log(path).report.units > 0
    except LogError:
        return False


_VECTORS = sorted((HERE.parents[2] / "golden").glob("v1/*.rlog"))
GOLDEN = [path for path in _VECTORS if _reads(path)]
DEMO = HERE.parents[3] / "recorder" / "racelog_recorder" / "demo" / "demo.rlog"

plans = st.builds(
    Plan,
    engine=st.sampled_from(["hare", "tortoise", "snail 🐌"]),
    ttft_ms=st.sampled_from([0.0, 0.5, 30.0, 250.0]),
    gap_ms=st.sampled_from([0.0, 1.0, 7.5]),
    requests=st.integers(1, 4),
    tokens=st.integers(1, 6),
    start_ms=st.sampled_from([0.0, 10.0, 1000.0]),
    fail=st.sampled_from([(), (0,), (1, 2)]),
)
deltas = st.lists(st.integers(0, 400 * MS), min_size=1, max_size=6)


@dataclass(frozen=True)
class MadeRace:
    """A race's events in time order, and how many go to a unit."""

    events: list[AnyEvent]
    per_unit: int

    @property
    def last_ns(self) -> int:
        """The latest instant anything begins at."""
        return max(event.t for event in self.events)

    def write_segments(self, folder: Path) -> list[Path]:
        """Write one segment per lane and one for the rest; return their paths."""
        folder.mkdir(parents=True)
        by_lane: dict[int | None, list[AnyEvent]] = {None: []}
        for event in self.events:
            by_lane.setdefault(lane_of(event), []).append(event)
        return [
            self._write(folder / f"segment-{number}.rlog", events, writer=number + 1)
            for number, events in enumerate(by_lane.values())
        ]

    def write_file(self, path: Path) -> Path:
        """Write the race as one finished segment; return its path."""
        return self._write(path, self.events, writer=1)

    def _write(self, path: Path, events: list[AnyEvent], writer: int) -> Path:
        with SegmentWriter(path, ScriptedRace([]).head(writer)) as segment:
            for start in range(0, len(events), self.per_unit):
                segment.commit(events[start : start + self.per_unit])
            segment.finish(self.last_ns, "closed")
        return path


@st.composite
def made_races(draw: DrawFn) -> MadeRace:
    """Draw a race of one to three lanes, cut into units of any size."""
    scripted = ScriptedRace(draw(st.lists(plans, min_size=1, max_size=3)))
    events = scripted.events()
    for start, gaps in draw(st.lists(st.tuples(st.integers(0, 2000 * MS), deltas), max_size=3)):
        cpu = [float(gap % 100) for gap in gaps]
        events.append(
            HostSamples(t=start, process="host", d=gaps, cpu_pct=[*cpu], rss_mib=[None] * len(gaps))
        )
        events.append(GpuSamples(t=start, source="nvml", device=0, d=gaps, name="H200", power_w=[*cpu]))
    for t in draw(st.lists(st.integers(0, 2000 * MS), max_size=3)):
        events.append(Mark(t=t, label=f"mark at {t}"))
        events.append(Unknown(t=t, k="future", raw=Raw(b'{"k":"future","t":%d, "x":[1.50]}' % t)))
    return MadeRace(sorted(events, key=lambda event: event.t), draw(st.integers(1, 12)))


def facts(events: list[AnyEvent]) -> list[bytes]:
    """Return the multiset of facts in ``events``, every column taken apart, as a sorted list to compare."""
    return sorted(
        msgspec.json.encode(fact)
        for event in events
        if not isinstance(event, Head | Finish)
        for fact in facts_of(event)
    )
