"""Scripted servers as fixtures; see `tests.recorder.scripted`."""

from collections.abc import Callable, Iterator

import pytest

from tests.recorder.scripted import Script, ScriptedServer, Wire


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], ScriptedServer]]:
    """Give a function that starts a scripted server; all are closed at the end."""
    servers: list[ScriptedServer] = []

    def start(script: Script) -> ScriptedServer:
        servers.append(ScriptedServer(script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def wire() -> type[Wire]:
    return Wire
