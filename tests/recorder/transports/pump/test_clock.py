"""The realtime clock stepped and slewed under a pump: no stamp moves by more than is promised."""

import socket
import struct
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.poller import BYTES
from racelog_recorder.transports.pump.stamps import (
    KERNEL,
    SLACK_NS,
    SO_TIMESTAMPNS,
    TIGHT_NS,
    USER,
    Arrival,
    realtime_offset_ns,
)

HOUR_NS = 3_600_000_000_000
MS_NS = 1_000_000
SLEW_PPM = 500


@dataclass
class Machine:
    """Two clocks that a script moves, and the sockets of a kernel that stamps by one of them.

    ``during`` happens in the middle of the next drain, ``behind`` right behind its next read.
    """

    now_ns: int = 1_000 * HOUR_NS
    offset_ns: int = 500_000 * HOUR_NS
    slew_ppm: int = 0
    during: list["Event"] = field(default_factory=list)
    behind: list["Event"] = field(default_factory=list)
    streams: dict[int, "Stream"] = field(default_factory=dict)

    def monotonic_ns(self) -> int:
        return self.now_ns

    def sampled_offset_ns(self) -> int:
        """Sample the offset; what the script wants to happen in the middle of a drain has happened then."""
        while self.during:
            self.happen(self.during.pop(0))
        return self.offset_ns

    def happen(self, event: "Event") -> None:
        what, amount = event
        if what == "pass":
            self.now_ns += amount
            self.offset_ns += amount * self.slew_ppm // 1_000_000
        elif what == "step":
            self.offset_ns += amount
        elif what == "slew":
            self.slew_ppm = amount
        else:
            self.streams[amount].arrive()

    def ready(self, _within_s: float = 0.0) -> list[tuple[int, int]]:
        return [(fd, BYTES) for fd, stream in self.streams.items() if stream.waiting]


@dataclass
class Stream:
    """A socket of that machine: what waits in it is the true arrival and the kernel's stamp of its last segment."""

    machine: Machine
    fd: int
    waiting: list[tuple[int, int]] = field(default_factory=list)
    family: int = socket.AF_INET

    def getsockopt(self, _level: int, _option: int) -> int:
        return 1

    def fileno(self) -> int:
        return self.fd

    def arrive(self) -> None:
        self.waiting.append((self.machine.now_ns, self.machine.now_ns + self.machine.offset_ns))

    def recvmsg(self, _size: int, _room: int) -> tuple[bytes, list[Any], int, None]:
        true_ns, stamp_ns = self.waiting[-1]
        self.waiting.clear()
        control = struct.pack("@ll", *divmod(stamp_ns, 1_000_000_000))
        while self.machine.behind:
            self.machine.happen(self.machine.behind.pop(0))
        return str(true_ns).encode(), [(socket.SOL_SOCKET, SO_TIMESTAMPNS, control)], 0, None


class MachinePoller:
    """Says which of a machine's sockets are ready."""

    def __init__(self, machine: Machine) -> None:
        self.ready = machine.ready

    async def wait(self) -> None:
        raise NotImplementedError

    def add(self, fd: int) -> None:
        return

    def remove(self, fd: int) -> None:
        return

    def close(self) -> None:
        return


Event = tuple[Literal["pass", "step", "slew", "arrive"], int]
EVENTS = st.one_of(
    st.tuples(st.just("pass"), st.integers(0, 50 * MS_NS)),
    st.tuples(st.just("step"), st.integers(-5 * HOUR_NS, 5 * HOUR_NS) | st.integers(-3 * MS_NS, 3 * MS_NS)),
    st.tuples(st.just("slew"), st.sampled_from([-SLEW_PPM, 0, SLEW_PPM])),
    st.tuples(st.just("arrive"), st.integers(0, 2)),
)


def pumped(machine: Machine) -> tuple[Pump, list[tuple[int, int, Arrival]]]:
    """Return a pump over three streams of ``machine``, and where it puts (true arrival, when read, arrival)."""
    heard: list[tuple[int, int, Arrival]] = []
    pump = Pump(
        MachinePoller(machine), monotonic_ns=machine.monotonic_ns, offset_ns=machine.sampled_offset_ns
    )
    for fd in range(3):
        machine.streams[fd] = Stream(machine, fd)

        def on_read(data: bytes, when: Arrival, _error: OSError | None) -> None:
            heard.append((int(data), machine.now_ns, when))

        pump.watch(machine.streams[fd], on_read)  # type: ignore[arg-type]  # as much of a socket as is used
    return pump, heard


Round = tuple[list[Event], list[Event]]
"""What happens before a drain, and in the middle of it."""

ROUNDS: st.SearchStrategy[Round] = st.tuples(st.lists(EVENTS, max_size=6), st.lists(EVENTS, max_size=4))


def settled(happening: Round) -> bool:
    """Return True unless the clock may go away and come back between two samples, which nobody could see."""
    between, during = happening
    return sum(1 for what, amount in (*between, *during) if what == "step" and amount) <= 1


@given(st.lists(ROUNDS, max_size=12))
def test_no_believed_stamp_moves_by_more_than_the_slack(rounds: list[Round]) -> None:
    rounds = [happening for happening in rounds if settled(happening)]
    machine = Machine()
    pump, heard = pumped(machine)

    for between, during in rounds:
        for event in between:
            machine.happen(event)
        machine.during = list(during)
        pump.drain()

    for true_ns, read_ns, when in heard:
        assert when.t_ns <= read_ns
        if when.stamp == KERNEL:
            assert abs(when.t_ns - true_ns) <= SLACK_NS


@pytest.mark.parametrize("step_ns", [-HOUR_NS, -2 * SLACK_NS, 2 * SLACK_NS, HOUR_NS])
def test_a_step_costs_each_stream_its_kernel_stamps_until_it_was_empty_again(step_ns: int) -> None:
    machine = Machine()
    pump, heard = pumped(machine)

    def rounds(*events: Event) -> list[str]:
        heard.clear()
        for event in events:
            machine.happen(event)
        pump.drain()
        return [when.stamp for _, _, when in heard]

    calm = rounds(("arrive", 0), ("arrive", 1))
    stepped = rounds(("arrive", 0), ("pass", MS_NS), ("step", step_ns))
    after = [rounds(("pass", MS_NS), ("arrive", fd)) for fd in (0, 1, 0, 1)]

    assert (calm, stepped) == ([KERNEL, KERNEL], [USER])
    assert after == [[USER], [USER], [KERNEL], [KERNEL]]


def test_a_stamp_from_before_a_step_that_the_last_drain_saw_is_not_believed() -> None:
    """It came while that drain was reading, was stamped by the old clock, and is read by the next."""
    machine = Machine()
    pump, heard = pumped(machine)
    machine.happen(("arrive", 0))
    pump.drain()
    machine.happen(("pass", 10_000 * MS_NS))
    machine.happen(("arrive", 0))
    machine.during = [("arrive", 1), ("step", -5_000 * MS_NS)]
    pump.drain()
    machine.happen(("pass", MS_NS))
    pump.drain()

    assert [when.stamp for _, _, when in heard] == [KERNEL, USER, USER]


def test_what_comes_while_the_process_is_stopped_behind_a_read_keeps_the_kernels_stamp() -> None:
    machine = Machine()
    pump, heard = pumped(machine)
    machine.happen(("arrive", 0))
    machine.behind = [("arrive", 0), ("pass", 5 * SLACK_NS)]
    pump.drain()
    pump.drain()

    assert [(when.stamp, when.t_ns - true_ns) for true_ns, _, when in heard] == [(KERNEL, 0)] * 2


def test_a_slewed_clock_keeps_the_kernels_stamps() -> None:
    machine = Machine(slew_ppm=SLEW_PPM)
    pump, heard = pumped(machine)
    for _ in range(200):
        machine.happen(("pass", 20 * MS_NS))
        machine.happen(("arrive", 0))
        machine.happen(("pass", MS_NS // 10))
        pump.drain()

    assert {when.stamp for _, _, when in heard} == {KERNEL}
    assert max(abs(when.t_ns - true_ns) for true_ns, _, when in heard) <= 100


def test_an_interrupted_reading_of_the_clocks_is_taken_again() -> None:
    instants = iter([0, 10 * MS_NS, 20 * MS_NS, 20 * MS_NS + TIGHT_NS])

    offset = realtime_offset_ns(lambda: next(instants), iter([7, 1_000 * MS_NS]).__next__)

    assert offset == 980 * MS_NS - TIGHT_NS // 2
