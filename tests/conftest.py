"""What every test has: a home of its own, and properties that find the same examples on every machine.

`HYPOTHESIS_PROFILE=soak` searches longer and anew each time (``make soak``).
"""

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from racelog import plugins
from tests.installing import Install, install_package

# Deadlines are timed assertions; on a shared machine they fail for other people's reasons.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("soak", settings.get_profile("steady"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_configure(config: pytest.Config) -> None:
    """Leave vLLM out unless marks are chosen on the command line: it needs gigabytes and minutes."""
    if not config.option.markexpr:
        config.option.markexpr = "not engine_vllm"
    # A shell that starts a job in the background lets it ignore Ctrl+C, and tests send one.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty racelog home; no test ever sees the user's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("RACELOG_HOME", str(folder))
    return folder


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return what installs a package: its name, the text of its module, and its entry points (`install_package`)."""
    monkeypatch.syspath_prepend(tmp_path)
    plugins.forget()
    yield partial(install_package, tmp_path)
    plugins.forget()
    for name in [name for name in sys.modules if name.endswith("_module")]:
        del sys.modules[name]
