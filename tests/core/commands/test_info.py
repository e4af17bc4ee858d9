"""``racelog info``: the page and its JSON."""

import json
import re
from typing import Any

import msgspec
import pytest

from racelog.cli import run
from racelog.commands.page_lines import NOTES_SHOWN, TEXT_SHOWN
from racelog.events import Calibration, Gap, LaneFacts, Note, RequestSent
from racelog.log.rewrite.seal import seal
from racelog.testing.races import RACE_ID, Plan, ScriptedRace, recorder_readings
from tests.core.query.recorded import store, write_log

RACE = ScriptedRace(
    [Plan("slow", requests=2, tokens=3), Plan("fast", ttft_ms=40, requests=2, tokens=3, fail=(1,))],
    finish=0.5,
)

CALIBRATION = Calibration(
    t=0, lane=0, streams=64, tokens=3200, coalesced=0, p50_us=12.0, p99_us=31.0, max_us=400.0, stamp="kernel",
    tokens_per_s=3200.0,
)  # fmt: skip


@pytest.fixture
def sealed(home):
    segments = RACE.write_segments(home / "races" / f"{RACE_ID}.live")
    return seal(segments, home / "races" / f"{RACE_ID}.rlog")


def page(capfd, *arguments, code=0):
    assert run(["info", *map(str, arguments)]) == code
    return capfd.readouterr().out


def test_the_latest_race_is_shown_when_none_is_named(sealed, home, capfd):
    store(home, ScriptedRace([Plan("old")], name="older"), "20261120-000000-00000001")

    assert page(capfd).startswith("scripted  finished\n")


def test_json_holds_the_summary_and_the_state_of_the_log(sealed, capfd):
    read = json.loads(page(capfd, "--json"))

    assert (read["race"]["winner"], read["race"]["lanes"][1]["ttft_ms"]["p50"]) == (1, 40.0)
    assert read["log"] == {
        "path": str(sealed), "files": 1, "bytes": sealed.stat().st_size, "units": 3, "duplicate_units": 0,
        "events": read["log"]["events"], "chunks": 9, "writers": 1, "sealed": True, "finished": True,
        "bytes_per_token": sealed.stat().st_size / 9, "damage": [],
    }  # fmt: skip
    assert read["clock"] == {"mono_origin_ns": 5_000_000_000, "wall_origin": "2026-11-21T01:30:00.000Z"}


def test_the_winner_is_named_with_the_lead(sealed, capfd):
    assert "Winner: fast, median TTFT 40.0 ms, 2.50x ahead of slow (100 ms)" in page(capfd)


def test_a_race_without_an_answer_has_no_winner(home, capfd):
    store(home, ScriptedRace([Plan("a", requests=1, fail=(0,))]))

    assert "No winner: no request was answered." in page(capfd)


def test_every_engine_has_its_line_of_numbers(sealed, capfd):
    rows = [
        re.split(r"  +", line.rstrip()) for line in page(capfd).splitlines() if line[:3] in ("1  ", "2  ")
    ]

    assert rows == [
        ["1", "fast", *["40.0 ms"] * 3, *["20.0 ms"] * 4, "25.0", "50.0 %"],
        ["2", "slow", *["100 ms"] * 3, *["20.0 ms"] * 4, "21.4", "100 %"],
    ]


def test_tokens_stamps_and_errors_stand_under_each_engine(sealed, capfd):
    text = page(capfd)

    assert "tokens: 10 in, 6 out · counted by the server (usage)" in text
    assert "token times: 6 kernel, 0 read together with a later one · transport pump" in text
    assert "errors: 1 http" in text


def test_answers_in_one_piece_are_told(home, capfd):
    store(home, ScriptedRace([Plan("a", gap_ms=0, requests=2, tokens=3), Plan("b", requests=2)]))

    assert "one piece: 2 answers came in one piece, without TPOT and ITL" in page(capfd)


def test_the_terms_are_defined_where_they_are_used(sealed, capfd):
    text = " ".join(page(capfd).split())

    for definition in (
        "TTFT: first token chunk minus request sent.",
        "TPOT: (last - first token chunk) / (streamed tokens - 1), per request.",
        "ITL: gaps between successive token chunks of a request, pooled.",
    ):
        assert definition in text


def test_what_the_recorder_noticed_is_shown(tmp_path, capfd):
    events = [
        *RACE.events(),
        Note(t=2_000_000_000, text="GPU gone", level="warning"),
        Gap(t=3_000_000_000, reason="full", chunks=4),
    ]
    text = page(capfd, write_log(tmp_path / "race.rlog", events))

    assert "Note   2.000 s warning: GPU gone" in text
    assert "Note   3.000 s lost: 4 chunks, 0 events, 0 bytes: full" in text


def test_damage_is_shown_with_its_place(sealed, capfd):
    sealed.write_bytes(b"\0" * 7 + sealed.read_bytes())

    assert f"damaged: {sealed.name}: 7 bytes at offset 0: no trailer" in page(capfd, code=3)


def test_a_log_without_any_lane_still_has_a_page(tmp_path, capfd):
    path = write_log(tmp_path / "bare.rlog", [Note(t=1, text="hello")])

    assert page(capfd, path).startswith(f"{RACE_ID}  no end recorded\n")


def test_what_is_no_log_exits_1(tmp_path, capfd):
    (tmp_path / "no.rlog").write_bytes(b"nothing")

    assert run(["info", str(tmp_path / "no.rlog")]) == 1
    assert "is not a racelog file" in capfd.readouterr().err


def test_what_the_recorder_noted_of_itself_stands_under_the_verdict(tmp_path, capfd):
    events = [
        *ScriptedRace([Plan("a", requests=10, gap_ms=100)]).events(),
        recorder_readings("a"),
        CALIBRATION,
    ]
    text = " ".join(page(capfd, write_log(tmp_path / "race.rlog", events)).split())

    assert (
        "Client kept up: clock checked, +-0.031 ms (p99) at 64 streams a: clock checked over plain HTTP at 64 streams x 50.0 tok/s: error "
        "p50 / p99 / max 0.012 ms / 0.031 ms / 0.40 ms, 0 % read together with a later one, times by kernel; CPU median 20.0 % of a core, full 0 % "
        "of the time; event loop delay p99 0.80 ms"
    ) in text


def test_what_connecting_took_stands_with_its_steps(tmp_path, capfd):
    facts, start, *rest = ScriptedRace([Plan("a", requests=3)]).events()
    connections: list[dict[str, Any]] = [
        {"connection": "new", "connect_ns": 3_000_000, "dns_ns": 1_000_000, "tcp_ns": 500_000, "tls_ns": 1_500_000},
        {"connection": "reused"},
        {"connection": "reopened", "connect_ns": 1_000_000, "tcp_ns": 500_000, "tls_ns": 500_000},
    ]  # fmt: skip
    ways = iter(connections)
    sent = [
        msgspec.structs.replace(event, **next(ways)) if isinstance(event, RequestSent) else event
        for event in rest
    ]
    text = " ".join(page(capfd, write_log(tmp_path / "race.rlog", [facts, start, *sent])).split())

    assert (
        "connections: 1 opened, 1 reused, 1 opened again after the server had dropped them · connecting took 2.00 ms in "
        "the median (DNS 1.00 ms, TCP 0.50 ms, TLS 1.00 ms), max 3.00 ms"
    ) in text


def test_a_log_without_connect_times_says_only_how_many_connections_there_were(tmp_path, capfd):
    text = page(capfd, write_log(tmp_path / "race.rlog", ScriptedRace([Plan("a", requests=3)]).events()))

    assert "\n  connections: 3 opened\n" in text


def test_a_log_that_tells_nothing_of_its_recorder_says_so(sealed, capfd):
    assert "Client not judged: this log holds no readings of its recorder" in page(capfd)


def test_of_very_long_and_very_many_notes_the_page_shows_a_part(tmp_path, capfd):
    notes = [Note(t=number, text="long " * 100_000) for number in range(NOTES_SHOWN + 3)]
    path = write_log(tmp_path / "told.rlog", [*notes])

    told = page(capfd, path)
    assert len(told) < (NOTES_SHOWN + 10) * 2 * TEXT_SHOWN
    assert "Note   and 3 notes more: racelog cat --kind note,gap,control" in told


def test_a_text_that_is_cut_has_a_sign_of_it(tmp_path, capfd):
    told = page(capfd, write_log(tmp_path / "told.rlog", [Note(t=0, text="long " * 1_000)]))

    assert [line[-1] for line in told.splitlines() if " long" in line][-1] == "…"


@pytest.mark.parametrize("verb", [["info"], ["verify"], ["play", "--at", "end"]])
def test_a_name_of_a_megabyte_fills_no_screen(verb, tmp_path, capfd):
    named = LaneFacts(t=0, lane=0, engine="n" * 1_000_000, model="m" * 1_000_000, url="")
    path = write_log(tmp_path / "told.rlog", [*RACE.events(), named])

    run([verb[0], str(path), *verb[1:]])

    assert len(capfd.readouterr().out) < 10_000
