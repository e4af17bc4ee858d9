"""How far the recorded arrival of a token is from the truth, what it costs, and what other clients make of the same load.

Everything on: `racelog record` with its conductor, telemetry, calibration, text and health, and the player following, all
on one core; the truth server (truth_server.c) on another; 50 ms to the first token, 20 ms between tokens. Budgets of
docs/benchmarks.md; nothing is asserted but that no stream and no token is lost: times are for a quiet machine and a reader's
eye. Each mode prints its table by one command, `pytest tests/bench/test_stamps.py -s -p no:randomly --timeout=0 -k MODE`:

    everything_on       without and with the player, by number of streams
    busy_neighbour      a busy process on the recorder's core
    bare_c              user stamps only, beside a bare C client, quiet and with a busy neighbour
    each_part           fsync on and off, the player on and off: the differences
    other_clients       aiperf, guidellm, httpx, aiohttp on the same load

A realtime clock that is stepped or slewed is a scripted one: tests/recorder/transports/pump/test_clock.py.

RACELOG_BENCH_STREAMS (1,64,256,1000,3000) and RACELOG_BENCH_TOKENS (500, ten seconds) make it shorter. The file limit
must allow 3,000 connections.
"""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.bench.recording import Found, record
from tests.bench.stamp_peers import Told, peers
from tests.bench.truth import CLIENT_CORE, GAP_MS, TTFT_MS, Truth, bare_client, busy, truth_server

STREAMS = [int(part) for part in os.environ.get("RACELOG_BENCH_STREAMS", "1,64,256,1000,3000").split(",")]
TOKENS = int(os.environ.get("RACELOG_BENCH_TOKENS", "500"))
LARGE = max((streams for streams in STREAMS if streams <= 1000), default=STREAMS[0])
PEER_STREAMS = [streams for streams in (64, 256) if streams in STREAMS]

HEADING = (
    f"\n{'':28s} {'streams':>7s} {'tokens':>9s}   {'p50':>8s} {'p99':>8s} {'max ms':>8s}  {'coalesced':>9s} "
    f"{'CPU us/tok':>10s}  {'server late p99, write p99 us':>30s}"
)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Truth]:
    with truth_server(tmp_path_factory.mktemp("truth"), TOKENS) as running:
        yield running


def measured(folder: Path, truth: Truth, streams: int, what: str, *flags: str, **how: bool) -> Found:
    """Record, print a row, and see that nothing was lost."""
    truth.stats()
    found = record(folder, truth, streams, TOKENS, *flags, **how)
    sent = truth.stats()
    print(
        f"{what:28s} {streams:7,d} {found.tokens:9,d}   {found.p50:8.4f} {found.p99:8.4f} {found.max:8.3f}  "
        f"{found.coalesced:9.2%} {found.cpu_us_per_token:10.1f}  {sent['late_us']['p99']:18.1f} {sent['write_us']['p99']:11.1f}"
        f"{'  client-limited' if found.client_limited else ''}"
    )
    assert (sent["begun"], sent["done"], sent["tokens"]) == (found.ok, streams, found.tokens)
    assert found.ok == streams
    return found


@pytest.mark.parametrize("ui", [False, True], ids=["no-view", "player"])
def test_everything_on(tmp_path: Path, truth: Truth, ui) -> None:
    print(HEADING)
    print(
        "budget to 1,000 streams".ljust(48)
        + f"{0.02:8.4f} {0.05:8.4f}".rjust(17)
        + f"{'2.00%':>20s} {20:10.1f}"
    )
    for streams in STREAMS:
        measured(tmp_path, truth, streams, "everything on, player" if ui else "everything on, no view", ui=ui)


def test_a_busy_neighbour(tmp_path: Path, truth: Truth) -> None:
    print(HEADING)
    for streams in [streams for streams in STREAMS if streams <= LARGE]:
        with busy(CLIENT_CORE):
            measured(tmp_path, truth, streams, "a busy process on its core")


@pytest.mark.parametrize("neighbour", [False, True], ids=["quiet", "busy"])
def test_user_stamps_beside_a_bare_c_client(tmp_path: Path, truth: Truth, neighbour) -> None:
    print(HEADING + "\nbudget: quiet, p50 0.1 and p99 1 ms; at most 3 times the C client")
    for streams in [streams for streams in STREAMS if streams <= LARGE]:
        with busy(CLIENT_CORE) if neighbour else nullcontext():
            found = measured(tmp_path, truth, streams, "user stamps", stamps=False)
            bare = bare_client(tmp_path, truth, streams, TOKENS)
        assert found.user == 1.0
        print(
            f"{'bare C client':28s} {streams:7,d} {bare['tokens']:9,d}   {bare['p50_us'] / 1e3:8.4f} {bare['p99_us'] / 1e3:8.4f} "
            f"{bare['max_us'] / 1e3:8.3f}  {bare['coalesced'] / bare['tokens']:9.2%} {bare['cpu_us_per_token']:10.1f}"
            f"   ours / C: p50 {found.p50 * 1e3 / bare['p50_us']:.1f}, p99 {found.p99 * 1e3 / bare['p99_us']:.1f}"
        )


def test_what_each_part_costs(tmp_path: Path, truth: Truth) -> None:
    print(HEADING)
    base = measured(tmp_path, truth, LARGE, "fsync interval, no view")
    parts = (
        ("fsync always", ("--fsync", "always"), False),
        ("fsync never", ("--fsync", "never"), False),
        ("the player", (), True),
    )
    for what, flags, ui in parts:
        found = measured(tmp_path, truth, LARGE, what, *flags, ui=ui)
        print(
            f"{'':19s} less the first row: {found.p50 - base.p50:+18.4f} {found.p99 - base.p99:+8.4f} {found.max - base.max:+8.3f}  "
            f"{found.coalesced - base.coalesced:+9.2%} {found.cpu_us_per_token - base.cpu_us_per_token:+10.1f}"
        )


@pytest.mark.parametrize("streams", PEER_STREAMS)
def test_beside_other_clients(tmp_path: Path, truth: Truth, streams: int) -> None:
    print(
        f"\n{streams} streams: the truth is TTFT {TTFT_MS:g} ms (and what connecting takes), ITL {GAP_MS:g} ms; ms"
    )
    print(
        f"{'':20s} {'TTFT p50':>9s} {'ITL p50':>9s}   stamp error {'p50':>9s} {'p99':>9s} {'CPU us/tok':>11s}"
    )
    found = record(tmp_path, truth, streams, TOKENS)
    ours = Told("racelog", found.ttft_p50_ms, found.itl_p50_ms, found.p50, found.p99, found.cpu_us_per_token)
    for told in (ours, *peers(tmp_path, truth, streams, TOKENS)):
        numbers = (told.ttft_p50_ms, told.itl_p50_ms, told.p50, told.p99, told.cpu_us_per_token)
        ttft, itl, p50, p99, cpu = ("-" if number is None else f"{number:.3f}" for number in numbers)
        print(f"{told.name:20s} {ttft:>9s} {itl:>9s}   {'':11s} {p50:>9s} {p99:>9s} {cpu:>11s}")
    assert found.ok == streams
