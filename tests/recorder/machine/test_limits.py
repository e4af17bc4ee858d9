"""What one machine can carry is said before a race, and told from the engine's own failures in it."""

import errno
import resource
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from racelog.errors import InputError
from racelog_recorder.machine.limits import PORT_RANGE, check_limits, ports_allowed
from racelog_recorder.plan.flags import plan_from_flags
from racelog_recorder.plan.model import RacePlan
from racelog_recorder.requests.outcome import classify

ENGINES = ["a=http://h:8000/v1", "b=http://h:8000/v1", "c=http://h:8001/v1"]


def plan(**flags: object) -> RacePlan:
    return plan_from_flags(ENGINES, **flags)


def test_more_streams_than_files_are_refused_with_need_limit_and_command() -> None:
    with pytest.raises(
        InputError, match=r"concurrency 5,000 needs .*: 5,064, and the limit is 1,024; .*ulimit -Hn 5064"
    ):
        check_limits(plan(concurrency=5000), files=960, ports=28_000)


def test_lanes_to_one_address_share_its_ports() -> None:
    with pytest.raises(InputError, match=r"on 2 lanes needs 2,000 connections to h:8000, .* has 1,999 ports"):
        check_limits(plan(concurrency=1000), files=5000, ports=1999)


def test_lanes_of_a_time_trial_do_not_share_ports() -> None:
    check_limits(plan(concurrency=1000, grid="time-trial"), files=5000, ports=1999)


def test_a_capped_rate_is_checked_by_its_cap() -> None:
    with pytest.raises(InputError, match="max_open 9 needs more open files"):
        check_limits(plan(rate=1, max_open=9), files=8, ports=100)


def test_an_uncapped_rate_has_no_number_to_check() -> None:
    check_limits(plan(rate=1000), files=-1, ports=1)


@pytest.mark.skipif(not PORT_RANGE.exists(), reason="the system tells no range of ports")
def test_the_ports_are_the_systems() -> None:
    assert 1 <= ports_allowed() <= 65_535


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS])
def test_a_limit_of_this_machine_is_no_failure_of_the_engine(code: int) -> None:
    error = httpx2.ConnectError("no connection")
    error.__cause__ = OSError("all attempts to connect failed")
    error.__cause__.__cause__ = ExceptionGroup("attempts", [OSError(code, "no more")])

    assert classify(error)[0] == "client_limit"


@pytest.mark.parametrize("limit", [64, 60])
def test_the_limit_that_is_told_is_the_one_there_is(limit: int) -> None:
    command = [
        sys.executable,
        "-c",
        "from racelog_recorder.machine.limits import connections_allowed; print(connections_allowed())",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
    )  # fmt: skip

    with pytest.raises(InputError, match=rf"concurrency 1 needs .*: 65, and the limit is {limit}; "):
        check_limits(plan(concurrency=1), files=int(done.stdout), ports=28_000)


def test_ten_thousand_streams_on_too_few_files_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "racelog", "record", "--engine", "a=http://127.0.0.1:1/v1,model=m", "--concurrency", "10000",
        "--requests", "10000", "--home", str(tmp_path), "--no-ui",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)),
    )  # fmt: skip

    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert done.stderr == (
        "racelog: concurrency 10,000 needs more open files than this system allows a process: 10,064, and the limit is "
        "1,024; raise it (ulimit -Hn 10064, or LimitNOFILE=), or lower concurrency and race the same url under several names\n"
    )
