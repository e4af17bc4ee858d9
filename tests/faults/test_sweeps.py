"""Damage everywhere, in short; the long form is `tests.soak.sweeps`."""

import subprocess
import sys

import pytest

from racelog.log.format.units import UnitKind
from tests.golden.vectors import unit
from tests.soak.damage import SWEEPS, Sweep, Trial
from tests.soak.sweeps import LOGS, Log, Tally, live_log, read, run, scan

STRIDE = 97


@pytest.fixture(scope="module", params=LOGS)
def log(request: pytest.FixtureRequest) -> Log:
    return LOGS[request.param]()


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_damage_costs_only_the_units_it_touches(log: Log, sweep: Sweep) -> None:
    tally = run(log, sweep, STRIDE, seed=7)

    assert tally.tried >= len(log.data) // STRIDE
    assert (tally.wrong, tally.most_untouched, tally.broken) == (0, 0, [])


def test_a_flipped_bit_costs_one_unit(log: Log) -> None:
    flips = next(sweep for sweep in SWEEPS if sweep.most == 1)

    assert run(log, flips, STRIDE, seed=7).most_lost == 1


def test_the_sweeps_notice_an_event_that_was_never_written() -> None:
    log = live_log()
    stranger = unit(b'{"k":"mark","t":5,"label":"never"}\n', 999, UnitKind.DATA)

    assert read(log, log.data + stranger) == (1, [])


def test_the_sweeps_notice_an_event_that_is_read_twice() -> None:
    log = live_log()
    again = unit(next(iter(log.events)), 999, UnitKind.DATA)

    assert read(log, log.data + again) == (1, [])


def test_the_sweeps_notice_a_unit_that_is_lost_without_need() -> None:
    log = live_log()
    first, second = log.units[:2]
    tally = Tally(log, SWEEPS[1])

    tally.judge(Trial(log.data[second.end :], first.offset, first.end))

    assert (tally.most_lost, tally.most_untouched, len(tally.broken)) == (2, 1, 1)


def test_a_log_too_small_to_sweep_is_refused() -> None:
    log = live_log()

    with pytest.raises(ValueError, match="19 units of 19, where 20 whole ones are needed"):
        Log.of("short", log.data[: log.units[18].end])


def test_the_logs_are_whole_before_they_are_damaged(log: Log) -> None:
    assert read(log, log.data) == (0, [])
    assert len(scan(log.data)) == len(log.units) >= 20


@pytest.mark.timeout(300)
def test_the_program_prints_what_it_tried_and_ends_well() -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.soak.sweeps", "--quick", "--log", "live"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == len(SWEEPS) + 2
    assert "0 wrong events, 0 broken" in done.stdout.splitlines()[-1]
