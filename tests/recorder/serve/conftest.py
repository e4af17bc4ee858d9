"""Races to serve, built by code, and a server for them on loopback."""

from contextlib import asynccontextmanager
from functools import partial

import httpx2
import pytest
import trio

from racelog.events import Tokens, Usage
from racelog.log.read.reader import LogReport, RaceLog, open_log
from racelog.testing.races import Plan, ScriptedRace
from racelog_recorder.serve.server import serve_lanes


@pytest.fixture
def race_log(tmp_path):
    """Return a function that makes the log of a scripted race, its events changed by ``edit``."""

    def make(*plans, edit=lambda event: [event]):
        race = ScriptedRace(list(plans))
        log = open_log(race.write_file(tmp_path / "race.rlog"))
        events = [new for event in log.events for new in edit(event)]
        return RaceLog(log.path, sorted(events, key=lambda event: event.t), LogReport())

    return make


@pytest.fixture
def quick_log(race_log):
    """Return a race of two lanes that answer within milliseconds; request 2 of the second fails."""
    return race_log(
        Plan("left", ttft_ms=4, gap_ms=1, requests=4, tokens=5),
        Plan("right", ttft_ms=3, gap_ms=1, requests=3, tokens=3, fail=(2,), color="#00ff00", emoji="🦙"),
    )


@pytest.fixture
def serving():
    """Return a context manager that serves a log and yields an HTTP client for each lane."""

    @asynccontextmanager
    async def serve(log, **options):
        async with trio.open_nursery() as nursery:
            served = await nursery.start(partial(serve_lanes, log, **options))
            clients = [httpx2.AsyncClient(base_url=lane.url, timeout=10) for lane in served]
            yield clients
            for client in clients:
                await client.aclose()
            nursery.cancel_scope.cancel()

    return serve


@pytest.fixture
def reshaped():
    """Return an edit for `race_log`: every request's chunks get these kinds, its usage stays or goes."""

    def edit_with(kinds, *, usage=True):
        def edit(event):
            if isinstance(event, Tokens):
                texts = [text if kind in "crt" else "" for text, kind in zip(event.x, kinds, strict=True)]
                return [Tokens(t=event.t, lane=event.lane, r=event.r, d=event.d, x=texts, c=kinds)]
            if isinstance(event, Usage) and not usage:
                return []
            return [event]

        return edit

    return edit_with
