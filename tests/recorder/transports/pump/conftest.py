"""Certificates for the servers of these tests, and every poller for the transport that stands on one."""

from collections.abc import Iterator
from typing import Any

import pytest

from racelog_recorder.transports.pump import drain, stamps
from tests.recorder.transports.pump.harness import POLLERS, Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: Any) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module", params=POLLERS)
def every_poller(request: Any) -> Iterator[None]:
    """Run a module's tests over each poller of this platform."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drain, "new_poller", POLLERS[request.param])
        yield


@pytest.fixture(scope="session", autouse=True)
def stamping() -> Iterator[None]:
    """Have the kernel stamp from the first test on: it begins 2 ms after the machine's first socket asks for it."""
    with stamps.kept_on():
        stamps.probe()
        yield
