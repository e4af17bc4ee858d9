"""The whole path against the real llama.cpp server with real weights: record, verify, query, compare."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

QUERY = (
    "select engine, count(*), median(ttft_ms), median(tpot_ms), sum(output_tokens) "
    "from requests join lanes using (race_id, lane_id) group by 1 order by 1"
)


@pytest.fixture(scope="module")
def home(llamacpp_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a time trial of two lanes on that server from a race file; give the home folder."""
    folder = tmp_path_factory.mktemp("home")
    race = folder / "race.yaml"
    race.write_text(
        f"""
name: two lanes on one llama.cpp
grid: time-trial
requests: 4
concurrency: 1
seed: 7
countdown: 0
params: {{max_tokens: 16, temperature: 0}}
engines:
  - {{name: first, url: "{llamacpp_url}", emoji: 🦙, color: "#f59e0b"}}
  - {{name: second, url: "{llamacpp_url}"}}
"""
    )
    done = racelog(folder, "record", str(race), "--no-ui")
    assert done.returncode == 0, done.stderr
    return folder


def racelog(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RACELOG_HOME": str(home)}
    command = [sys.executable, "-m", "racelog", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def sql(home: Path, query: str) -> list[dict[str, Any]]:
    done = racelog(home, "sql", "-f", "json", query, "latest")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_the_recorded_race_verifies(home: Path) -> None:
    done = racelog(home, "verify", "latest")

    assert done.returncode == 0, done.stdout


def test_every_request_of_every_engine_is_there(home: Path) -> None:
    done = racelog(home, "sql", "-f", "csv", QUERY, "latest")
    rows = list(csv.reader(io.StringIO(done.stdout)))[1:]

    assert [(row[0], row[1]) for row in rows] == [("first", "4"), ("second", "4")]
    assert all(float(row[2]) > 0 and float(row[3]) > 0 for row in rows)


def test_output_tokens_equal_the_servers_own_count_exactly(home: Path) -> None:
    counts = {row["request_id"]: row["output_tokens"] for row in sql(home, "from requests where lane_id = 0")}
    dumped = racelog(home, "dump", "latest", "--kind", "usage", "--lane", "first").stdout.splitlines()
    timings = {line["req"]: line["server"]["timings"]["predicted_n"] for line in map(json.loads, dumped)}

    assert counts == timings
    assert len(counts) == 4


def test_no_first_token_comes_before_the_server_had_read_the_prompt(home: Path) -> None:
    ttft = {row["request_id"]: row["ttft_ms"] for row in sql(home, "from requests where lane_id = 0")}
    dumped = racelog(home, "dump", "latest", "--kind", "usage", "--lane", "first").stdout.splitlines()
    prompt_ms = {line["req"]: line["server"]["timings"]["prompt_ms"] for line in map(json.loads, dumped)}

    assert {req: ttft[req] >= prompt_ms[req] for req in ttft} == dict.fromkeys(ttft, True)


def test_both_lanes_got_the_same_prompts_in_the_same_order(home: Path) -> None:
    rows = sql(home, "select lane_id, prompt from requests order by lane_id, request_id")
    by_lane = [[row["prompt"] for row in rows if row["lane_id"] == lane] for lane in (0, 1)]

    assert by_lane[0] == by_lane[1]
    assert len(set(by_lane[0])) == 4


def test_the_second_lane_started_after_the_first_had_ended(home: Path) -> None:
    (row,) = sql(
        home,
        "select max(t_end_ns) filter (lane_id = 0) < min(t_sent_ns) filter (lane_id = 1) as apart from requests",
    )

    assert row == {"apart": True}


def test_chunks_are_stamped_by_the_kernel(home: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux stamps TCP data")

    assert sql(home, "select distinct stamp from tokens") == [{"stamp": "kernel"}]


def test_the_answers_are_what_the_model_says(home: Path) -> None:
    rows = sql(home, "select response from requests where lane_id = 0 order by request_id")

    assert all(row["response"].strip() for row in rows)


def test_a_card_is_drawn(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "card.png"
    done = racelog(home, "card", "latest", "-o", str(target))

    assert done.returncode == 0, done.stderr
    assert target.read_bytes().startswith(b"\x89PNG\r\n")
