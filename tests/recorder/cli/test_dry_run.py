"""`racelog record --dry-run`: what would be sent, and nothing that is."""

import json
import subprocess
import sys

import pytest

from racelog_recorder.cli.dry_run import rehearsal_lines, rehearse
from racelog_recorder.plan.arrivals import due_until
from racelog_recorder.plan.flags import plan_from_flags
from racelog_recorder.plan.model import RacePlan


def plan(**flags: object) -> RacePlan:
    return plan_from_flags(["a=http://127.0.0.1:1/v1", "b=http://127.0.0.1:1/v1"], **flags)


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "racelog", "record", "--dry-run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_open_loop_is_counted_to_the_request() -> None:
    asked = plan(rate=50, duration="3s", seed=4)
    assert asked.load is not None
    race = rehearse(asked, [(), ()])

    assert race.requests == due_until(asked.load, 4, requests=None, duration_ns=3_000_000_000)
    assert race.exact
    assert [request.number for request in race.first] == list(range(10))
    assert race.first[0].due_s == 0.0


def test_a_schedule_too_long_to_count_is_told_by_its_mean() -> None:
    race = rehearse(plan(rate=1000, duration="2h"), [(), ()])

    assert (race.requests, race.exact, race.sending_s) == (7_200_000, False, 7200.0)


def test_a_closed_loop_by_duration_has_no_number_of_requests() -> None:
    race = rehearse(plan(duration="30s"), [(), ()])

    assert (race.requests, race.sending_s) == (None, 30.0)
    assert "as many requests as it answers in 30.0 s" in "\n".join(rehearsal_lines(race, None))


def test_warmup_comes_before_the_first_request_shown() -> None:
    whole = rehearse(plan(requests=10), [(), ()]).first
    after = rehearse(plan(requests=8, warmup=2), [(), ()]).first

    assert [request.prompt for request in after] == [request.prompt for request in whole[2:]]


def test_cpus_and_load_are_told_in_words() -> None:
    lines = "\n".join(rehearsal_lines(rehearse(plan(rate=5, max_open=2), [(1,), (2, 3)]), 80))

    assert "open loop, 5/s poisson, at most 2 open" in lines
    assert "b: the first model it lists at http://127.0.0.1:1/v1, pinned to CPU 2, 3" in lines


def test_the_command_asks_no_engine_and_leaves_nothing(tmp_path: object) -> None:
    done = run("--engine", "gone=http://127.0.0.1:1/v1", "--home", str(tmp_path), "--rate", "2", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["requests"] == 40


def test_a_key_that_is_not_set_is_told_and_the_race_shown_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RACELOG_TEST_KEY", raising=False)
    done = run("--engine", "a=http://127.0.0.1:1/v1,api_key_env=RACELOG_TEST_KEY")

    assert done.stderr == (
        "racelog: a: the environment variable RACELOG_TEST_KEY (api_key_env) is not set; without it there is no race\n"
    )
    assert (done.returncode, "Nothing was sent." in done.stdout) == (0, True)


def test_the_demo_can_be_rehearsed() -> None:
    done = run()

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Demo from a recording: llama.cpp vs vLLM\n")


def test_a_cpu_that_is_not_there_is_refused() -> None:
    done = run("--engine", "a=http://127.0.0.1:1/v1", "--pin", "4095")

    assert done.returncode == 2
    assert "pin (--pin): CPU 4095 is not among those this process may use" in done.stderr


@pytest.mark.parametrize("flags", [{"rate": 3, "requests": 4}, {"requests": 4}])
def test_no_more_requests_are_shown_than_there_are(flags: dict[str, int]) -> None:
    assert len(rehearse(plan(**flags), [(), ()]).first) == 4


@pytest.mark.parametrize(("flags", "shown"), [({}, False), ({"rate": 5}, True)])
def test_instants_are_shown_where_there_are_some(flags: dict[str, int], shown) -> None:
    lines = "\n".join(rehearsal_lines(rehearse(plan(**flags), [(), ()]), None))

    assert (" due" in lines, "each request at this time" in lines) == (shown, shown)


def test_what_is_not_at_its_default_is_told_as_a_file_would_say_it() -> None:
    race = rehearse(plan(grace=90, finish="80%", calibrate=False, requests=3), [(), ()])

    assert race.changed == {"requests": 3, "grace": "90s", "finish": "80%", "calibrate": False}
    assert "\nnot as usual: grace: 90s, finish: 80%, calibrate: false\n" in "\n".join(
        rehearsal_lines(race, None)
    )


def test_a_race_as_usual_has_no_line_for_that() -> None:
    assert "not as usual" not in "\n".join(rehearsal_lines(rehearse(plan(), [(), ()]), None))


def test_a_secret_parameter_is_not_told() -> None:
    race = rehearse(plan(params={"api_key": "hunter2hunter2"}), [(), ()])

    assert race.changed["params"]["api_key"] == "<removed>"
