"""What a process reads of itself, as the log will have it."""

import math

from racelog.events import HostSamples
from racelog_recorder.telemetry.self_samples import HostColumns, Reading, _Own


class Counts:
    """A pump that says what it is told to."""

    drains = 10
    reads = 40
    largest_drain = 9


def test_readings_become_columns_and_what_was_never_read_is_left_out():
    columns = HostColumns("lane:e")
    columns.add(100, Reading(cpu_pct=1.04, rss_mib=2.0, loop_lag_us=3.0))
    columns.add(150, Reading(cpu_pct=None, rss_mib=None, loop_lag_us=None))

    expected = HostSamples(
        t=100, process="lane:e", d=[0, 50], cpu_pct=[1.0, None], rss_mib=[2.0, None], loop_lag_us=[3.0, None]
    )
    assert expected == columns.take()


def test_cpu_and_memory_are_there_even_when_nobody_told_them():
    columns = HostColumns("lane:e")
    columns.add(100, Reading(cpu_pct=None, rss_mib=None))

    assert HostSamples(t=100, process="lane:e", d=[0], cpu_pct=[None], rss_mib=[None]) == columns.take()


def test_a_pump_is_read_as_what_it_did_since_the_reading_before():
    pump = Counts()
    own = _Own(pump)
    pump.drains, pump.reads, pump.largest_drain = 12, 45, 4

    first, second = own.read(lag_us=0.0, waiting=0), own.read(lag_us=0.0, waiting=0)

    assert [(first.pump_batch, first.pump_batch_max), (second.pump_batch, second.pump_batch_max)] == [
        (2.5, 4.0),
        (0.0, 0.0),
    ]


def test_a_process_without_a_pump_has_no_batches():
    reading = _Own(None).read(lag_us=7.0, waiting=3)

    assert (reading.pump_batch, reading.pump_batch_max) == (None, None)
    assert (reading.loop_lag_us, reading.backlog) == (7.0, 3.0)


def test_a_process_at_work_reads_its_own_cpu_and_memory():
    own = _Own(None)
    sum(math.sqrt(i) for i in range(100_000))

    reading = own.read(lag_us=0.0, waiting=0)

    assert reading.cpu_pct is not None
    assert reading.cpu_pct > 0
    assert reading.rss_mib is not None
    assert reading.rss_mib > 1
