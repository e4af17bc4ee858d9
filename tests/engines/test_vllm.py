"""The race this project began with: llama.cpp against vLLM on the same weights, as a time trial."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.engine_vllm, pytest.mark.timeout(3600)]

REQUESTS = 4


@pytest.fixture(scope="module")
def home(llamacpp_url: str, vllm_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record the time trial; give the home folder."""
    folder = tmp_path_factory.mktemp("home")
    done = racelog(
        folder, "record", "--no-ui", "--time-trial", "--requests", str(REQUESTS), "--concurrency", "2",
        "--max-tokens", "24", "--countdown", "0",
        "--engine", f"llama.cpp={llamacpp_url}", "--engine", f"vLLM={vllm_url}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def racelog(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "RACELOG_HOME": str(home)}
    command = [sys.executable, "-m", "racelog", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_both_engines_answer_every_request(home: Path) -> None:
    done = racelog(home, "info", "latest", "--json")
    lanes = json.loads(done.stdout)["race"]["lanes"]

    assert [(lane["engine"], lane["ok"]) for lane in lanes] == [("llama.cpp", REQUESTS), ("vLLM", REQUESTS)]


def test_output_tokens_are_vllms_own_count(home: Path) -> None:
    query = "select request_id, output_tokens from requests where lane_id = 1"
    rows = json.loads(racelog(home, "sql", "-f", "json", query, "latest").stdout)
    dumped = racelog(home, "dump", "latest", "--kind", "usage", "--lane", "vLLM").stdout.splitlines()
    usage = {line["req"]: line["output_tokens"] for line in map(json.loads, dumped)}

    assert {row["request_id"]: row["output_tokens"] for row in rows} == usage
    assert len(usage) == REQUESTS
