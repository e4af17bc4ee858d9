"""Certificates for the servers of these tests."""

from typing import Any

import pytest

from tests.recorder.pump.harness import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: Any) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))
