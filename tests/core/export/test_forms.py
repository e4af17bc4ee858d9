"""Each form opened by a foreign reader and compared with SQL; texts that would break out stay text."""

import csv
import functools
import json
import os
import re
import shutil
import subprocess
from html import unescape

import msgspec
import pandas as pd
import pyte
import pytest
from mcap.reader import make_reader
from perfetto.protos.perfetto.trace import perfetto_trace_pb2

import racelog
from racelog.cli import run
from racelog.errors import InputError, RaceNotFound
from racelog.events import (
    AnyEvent,
    ClockAnchor,
    HostSamples,
    LaneFacts,
    Note,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    Tokens,
)
from racelog.export import EXPORTS, write
from racelog.query.contract.tables import TABLES
from racelog.testing.races import Plan, ScriptedRace
from tests.core.export.har_schema import HAR
from tests.core.query.recorded import EVERY_KIND, MS, write_log

FORMS = [form for form, plugin in EXPORTS.installed().items() if plugin.is_ours]
DEMO = "recorder/racelog_recorder/demo/demo.rlog"
HOSTILE = "</script><script>document.title='taken'</script>\x1b[2J\u202e |`*<b>@team https://e.co www.e.co"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def log(tmp_path):
    """Return a race with a row in every table, hostile text in every place that text comes from."""
    events = [
        ClockAnchor(t=0, mono_ns=7_000, wall_ns=1_795_224_600_000_000_000),
        *EVERY_KIND,
        Note(t=9, text=HOSTILE),
    ]
    for i, event in enumerate(events):
        if isinstance(event, LaneFacts):
            events[i] = msgspec.structs.replace(event, engine=HOSTILE)
        elif isinstance(event, RaceFacts):
            events[i] = msgspec.structs.replace(event, name=HOSTILE)
        elif isinstance(event, Tokens):
            events[i] = msgspec.structs.replace(event, x=["", HOSTILE, "?", "", " be it"])
    return write_log(tmp_path / "every.rlog", events)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


connected = functools.lru_cache(maxsize=1)(racelog.connect)
"""One connection for all questions to a log: making one reads all of it."""


def asked(log, query):
    cursor = connected(log).execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def by_table(files):
    return {file.name.split(".")[-2]: file for file in files}


def plain(rows):
    return json.loads(json.dumps(rows, default=str))


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_pandas_reads_the_rows_that_sql_gives(form, out):
    files = by_table(write(DEMO, [form], out))
    readers = {
        # As text: the conversion below is exact in every release, reading floats from a file is not before pandas 3.
        "csv": lambda file: pd.read_csv(file, keep_default_na=False, na_values=[""], dtype=str),
        "parquet": pd.read_parquet,
        "jsonl": lambda file: pd.read_json(file, lines=True, dtype=False, precise_float=True),
    }

    assert {table for table in TABLES if asked(DEMO, f"from {table} limit 1")} == set(files)
    assert {"races", "lanes", "requests", "tokens", "achievements"} <= set(files)
    for table, file in files.items():
        frame, rows = readers[form](file), asked(DEMO, f"from {table}")
        assert list(frame.columns) == [column.name for column in TABLES[table]]
        assert len(frame) == len(rows)
        for column in TABLES[table]:
            if column.type in ("BIGINT", "INTEGER", "DOUBLE"):
                expected = pd.Series([row[column.name] for row in rows], dtype="float64")
                assert frame[column.name].astype("float64").equals(expected), column.name


def test_parquet_keeps_types_and_hostile_text(log, out):
    tokens = pd.read_parquet(by_table(write(log, ["parquet"], out))["tokens"])

    assert list(tokens["text"]) == [row["text"] for row in asked(log, "from tokens")]
    assert (str(tokens["t_ns"].dtype), str(tokens["coalesced"].dtype)) == ("int64", "bool")


def test_csv_is_rfc_4180_and_tells_an_empty_text_from_none(log, out):
    file = by_table(write(log, ["csv"], out))["tokens"]

    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))

    assert [row["text"] for row in rows] == [row["text"] for row in asked(log, "from tokens")]
    assert file.read_bytes().count(b"\r\n") == 5
    assert b',"",' in file.read_bytes()


def test_the_document_names_its_schema_and_holds_the_rows_of_sql(log, out):
    (file,) = write(log, ["json"], out)
    document = json.loads(file.read_bytes())

    assert (document["schema"], document["version"]) == ("racelog.race", 1)
    assert document["tables"]["requests"] == plain(asked(log, "from requests"))
    assert set(document["tables"]) == set(TABLES) - {"tokens"}


def test_markdown_is_one_table_that_hostile_names_cannot_leave(log, out):
    (file,) = write(log, ["md"], out)
    text = file.read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ")]

    assert {line.replace("\\|", "").count("|") for line in rows} == {12}
    assert "@team" not in text
    assert "https://e.co" not in text
    assert "www.e.co" not in text
    assert "\x1b" not in text
    assert re.search(r"(?<!\\)<(?!/?(details|summary)>)", text) is None


@pytest.mark.parametrize("form", ["md", "html"])
def test_what_a_reader_must_know_first_stands_in_the_page(form, tmp_path, out):
    sleepy = HostSamples(
        t=5_000, process="lane:a", d=[100_000_000] * 200, cpu_pct=[99.0] * 200, rss_mib=[50.0] * 200, loop_lag_us=[90_000.0] * 200,
    )  # fmt: skip
    path = write_log(tmp_path / "race.rlog", [*ScriptedRace([Plan("a", requests=9)]).events(), sleepy])
    path.write_bytes(path.read_bytes() + b"no unit of a log")

    (file,) = write(path, [form], out)

    assert "damaged: " in file.read_text()
    assert "measuring machine too slow - " in file.read_text()


def sent(archive):
    """Return the entries of requests that got a connection."""
    return [entry for entry in archive["log"]["entries"] if entry["timings"]["blocked"] == -1]


def test_an_archive_keeps_to_har_1_2_and_to_sql(log, out):
    for race in (log, DEMO):
        (file,) = write(race, ["har"], out)
        archive = json.loads(file.read_bytes())
        began = "t_sent_ns - coalesce(connect_ms, 0) * 1e6"
        rows = asked(race, f"from requests where t_sent_ns is not null order by {began}, lane_id")
        entries = sent(archive)

        HAR.validate(archive)
        assert [entry["response"]["content"]["text"] for entry in entries] == [
            row["response"] for row in rows
        ]
        assert [entry["time"] for entry in entries] == [
            pytest.approx(row["e2e_ms"] + (row["connect_ms"] or 0)) for row in rows
        ]


def test_a_request_that_never_got_a_connection_is_in_the_archive(tmp_path, out):
    refused: list[AnyEvent] = [
        RequestScheduled(t=50 * MS, lane=3, req=7, prompt=5),
        RequestEnd(t=53 * MS, lane=3, req=7, status="failed", error="refused", message="nothing listens"),
    ]
    (file,) = write(write_log(tmp_path / "race.rlog", [*EVERY_KIND, *refused]), ["har"], out)
    archive = json.loads(file.read_bytes())
    entry = archive["log"]["entries"][-1]

    HAR.validate(archive)
    assert (entry["response"]["status"], entry["response"]["_error"], entry["time"]) == (0, "refused", 3.0)
    assert entry["timings"] == {
        "blocked": 3.0, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": 0, "receive": 0,
    }  # fmt: skip


def test_an_archive_s_times_lie_in_the_calendar_where_the_anchor_puts_them(log, out):
    (file,) = write(log, ["har"], out)
    entry = sent(json.loads(file.read_bytes()))[0]

    assert entry["startedDateTime"] == "2026-11-21T01:30:00.011100Z"
    assert entry["timings"] == {
        "blocked": -1, "dns": -1, "connect": 0.9, "ssl": 0.7, "send": 0, "wait": 8.0, "receive": 14.0,
    }  # fmt: skip
    assert entry["time"] == pytest.approx(22.9)


@pytest.mark.parametrize(
    ("spent", "phases"),
    [
        ({}, (-1, -1, -1)),
        ({"connect_ns": 0}, (-1, 0, -1)),
        ({"connect_ns": 900_000, "dns_ns": 0, "tcp_ns": 900_000}, (0, 0.9, -1)),
        ({"connect_ns": 9_000_000, "dns_ns": 2_000_000, "tcp_ns": 1_000_000, "tls_ns": 3_000_000}, (2, 7, 3)),
        ({"connect_ns": 1_000_000, "dns_ns": 4_000_000, "tls_ns": 3_000_000}, (4, 3, 3)),
    ],
    ids=["reused", "unix socket", "no TLS", "a look-up, a lost attempt and TLS", "more steps than time"],
)
def test_an_archive_s_connect_is_all_but_the_look_up_and_includes_tls(spent, phases, tmp_path, out):
    log = write_log(
        tmp_path / "race.rlog",
        [
            msgspec.structs.replace(
                event, **dict.fromkeys(("connect_ns", "dns_ns", "tcp_ns", "tls_ns")) | spent
            )
            if isinstance(event, RequestSent)
            else event
            for event in EVERY_KIND
        ],
    )
    (file,) = write(log, ["har"], out)
    archive = json.loads(file.read_bytes())
    (entry,) = sent(archive)
    timings = entry["timings"]

    HAR.validate(archive)
    assert (timings["dns"], timings["connect"], timings["ssl"]) == phases
    assert entry["time"] == pytest.approx(22 + sum(took for took in phases[:2] if took != -1))


def test_an_archive_s_requests_went_where_the_recorder_sent_them(out):
    (file,) = write(DEMO, ["har"], out)
    went = {entry["request"]["url"] for entry in json.loads(file.read_bytes())["log"]["entries"]}

    assert went == {f"{row['url']}/chat/completions" for row in asked(DEMO, "select url from lanes")}


def test_an_archive_s_requests_went_where_the_log_says_whatever_the_dialect(tmp_path, out):
    events = [
        msgspec.structs.replace(event, dialect="native", path="native/stream") if isinstance(event, LaneFacts) else event
        for event in ScriptedRace([Plan("e", requests=1)]).events()
    ]  # fmt: skip
    (file,) = write(write_log(tmp_path / "race.rlog", events), ["har"], out)

    (entry,) = sent(json.loads(file.read_bytes()))
    assert entry["request"]["url"] == "http://127.0.0.1:9000/v1/native/stream"


def test_mcap_s_reader_finds_the_rows_of_sql(log, out):
    (file,) = write(log, ["mcap"], out)
    with file.open("rb") as stream:
        read = [
            (schema, channel, message) for schema, channel, message in make_reader(stream).iter_messages()
        ]

    said: dict[str, list[object]] = {}
    for _, channel, message in read:
        said.setdefault(channel.topic, []).append(json.loads(message.data))
    tokens = [
        {k: v for k, v in row.items() if v is not None} for row in asked(log, "from tokens order by t_ns")
    ]
    assert said["/lanes/3/tokens"] == plain(tokens)
    assert set(said) == {
        "/lanes/3/tokens", "/lanes/3/requests", "/gpus/nvml/1", "/host/host", "/host/lane:e3", "/marks", "/notes",
    }  # fmt: skip
    assert [message.log_time for *_, message in read] == sorted(message.log_time for *_, message in read)
    assert {
        schema and schema.name for schema, channel, _ in read if channel.topic in ("/marks", "/notes")
    } == {"foxglove.Log"}


def test_mcap_without_its_package_says_how_to_get_it(log, out, monkeypatch, capfd):
    monkeypatch.setitem(__import__("sys").modules, "mcap.writer", None)

    assert run(["export", str(log), "-f", "mcap", "-o", str(out)]) == 1
    assert "pip install 'racelog[mcap]'" in capfd.readouterr().err


def slices(trace):
    """Return (track, name, begin, end) of every slice, as Perfetto pairs begins and ends on a track."""
    stacks: dict[int, list[tuple[str, int]]] = {}
    found = []
    for packet in sorted(trace.packet, key=lambda packet: packet.timestamp):
        event = packet.track_event
        if event.type == event.TYPE_SLICE_BEGIN:
            stacks.setdefault(event.track_uuid, []).append((event.name, packet.timestamp))
        elif event.type == event.TYPE_SLICE_END:
            name, begin = stacks[event.track_uuid].pop()
            found.append((event.track_uuid, name, begin, packet.timestamp))
    assert not any(stacks.values())
    return found


def test_perfetto_s_own_protobuf_finds_the_requests_of_sql(out):
    (file,) = write(DEMO, ["perfetto"], out)
    trace = perfetto_trace_pb2.Trace.FromString(file.read_bytes())
    (race,) = asked(DEMO, "from races")
    rows = asked(DEMO, "from requests where t_sent_ns is not null")

    found = slices(trace)

    def spans(name):
        return sorted((begin, end) for _, said, begin, end in found if said.startswith(name))

    origin = race["mono_origin_ns"]
    assert spans("request") == sorted((origin + row["t_sent_ns"], origin + row["t_end_ns"]) for row in rows)
    assert spans("decode") == sorted(
        (origin + row["t_first_token_ns"], origin + row["t_last_token_ns"]) for row in rows
    )
    instants = [p for p in trace.packet if p.track_event.type == p.track_event.TYPE_INSTANT]
    assert (
        len(instants)
        == asked(DEMO, "select (select count(*) from tokens) + (select count(*) from marks) as n")[0]["n"]
    )


def test_a_request_that_never_got_a_connection_is_a_slice(tmp_path, out):
    refused: list[AnyEvent] = [
        RequestScheduled(t=50 * MS, lane=3, req=7, prompt=5),
        RequestEnd(t=53 * MS, lane=3, req=7, status="failed", error="refused"),
    ]
    (file,) = write(write_log(tmp_path / "race.rlog", [*EVERY_KIND, *refused]), ["perfetto"], out)
    trace = perfetto_trace_pb2.Trace.FromString(file.read_bytes())

    begun = [packet.track_event for packet in trace.packet if packet.track_event.name == "request 7"]
    notes = {note.name: note.string_value for note in begun[0].debug_annotations}
    assert (len(begun), notes["error_kind"]) == (1, "refused")


def test_a_perfetto_trace_knows_its_processes_and_counters(log, out):
    (file,) = write(log, ["perfetto"], out)
    trace = perfetto_trace_pb2.Trace.FromString(file.read_bytes())
    described = [packet.track_descriptor for packet in trace.packet if packet.HasField("track_descriptor")]

    assert [track.process.pid for track in described if track.HasField("process")] == [4]
    assert [(t.name, t.counter.unit_name) for t in described if t.HasField("counter")] == [
        ("token chunks per second", "chunks/s"), ("GPU 1 util_pct", "%"),
    ]  # fmt: skip
    assert len({track.uuid for track in described}) == len(described)
    assert [p.track_event.double_counter_value for p in trace.packet if p.track_event.type == 4] == [
        4.0,
        99.0,
    ]


def dom(file, fragment=""):
    """Return the page as a real browser has it once its program has run."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        *QUIET,
        f"--user-data-dir={file.parent / 'profile'}",
        "--dump-dom",
        f"file://{file}{fragment}",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=55).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
def test_a_browser_draws_the_page_without_obeying_its_texts(log, out):
    (file,) = write(log, ["html"], out)

    shown = dom(file.absolute(), "#3/1")

    assert shown.count("<script") == 2
    title = re.search("<title>(.*?)</title>", shown, re.DOTALL)
    assert title is not None
    assert unescape(title[1]) == HOSTILE.replace("\r", "")
    assert "2 of 2 requests" in shown
    assert re.search(r'id="detail">', shown), "the request that the address names is open"
    words = re.findall(r'<div id="words">(.*?)</div>', shown, re.DOTALL)
    assert unescape("".join(re.findall("<span[^>]*>(.*?)</span>", words[0], re.DOTALL))) == "".join(
        row["text"] for row in asked(log, "from tokens where request_id = 1 order by seq")
    )


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
def test_a_browser_shows_every_request_and_token_of_the_demo(out):
    (file,) = write(DEMO, ["html"], out)

    shown = dom(file.absolute(), "#0/2")

    (rows,) = asked(DEMO, "select count(*) as n from requests")
    (tokens,) = asked(DEMO, "select count(*) as n from tokens where lane_id = 0 and request_id = 2")
    (lane,) = asked(DEMO, "select median(ttft_ms) as p50 from requests where lane_id = 0 and phase = 'race'")
    assert f"{rows['n']} of {rows['n']} requests" in shown
    assert shown.split('<svg id="timeline"')[1].split("</svg>")[0].count("<rect") == tokens["n"] + 1
    assert f">{lane['p50']:.1f}</td>" in shown


def test_a_terminal_that_plays_the_cast_ends_with_the_winner_of_sql(out):
    (file,) = write(DEMO, ["cast"], out)
    header, *events = map(json.loads, file.read_text().splitlines())
    screen = pyte.Screen(header["term"]["cols"], header["term"]["rows"])
    terminal = pyte.Stream(screen)
    for _, code, text in events:
        if code == "o":
            terminal.feed(text)

    (race,) = asked(DEMO, "select duration_s, engine from races join lanes on lane_id = winner_lane_id")
    shown = "\n".join(screen.display)
    assert (header["version"], header["term"]["cols"], header["term"]["rows"]) == (3, 120, 36)
    assert sum(after for after, *_ in events) == pytest.approx(race["duration_s"] + 3, abs=0.2)
    assert [text for _, code, text in events if code == "m"][-1].endswith("finished")
    assert race["engine"] in shown


def test_a_cast_holds_no_code_of_a_model_s(log, out):
    (file,) = write(log, ["cast"], out)
    _, *events = map(json.loads, file.read_text().splitlines())
    screen = pyte.Screen(120, 36)
    terminal = pyte.Stream(screen)
    for _, code, text in events:
        if code == "o":
            terminal.feed(text)

    assert screen.title == ""
    assert "\u202e" not in "".join(text for _, _, text in events)
    assert sum("\x1b[2J" in text for _, _, text in events) <= 1  # the first clears the screen


def test_the_page_asks_for_nothing_outside(out):
    (file,) = write(DEMO, ["html"], out)
    page = file.read_text()

    assert "default-src &#x27;none&#x27;" in page
    assert re.findall(r"(?:src|href)=|@import|url\(|fetch\(|XMLHttp|WebSocket", page) == []


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_written_over_without_force(form, log, out):
    files = write(log, [form], out)
    files[0].write_bytes(b"mine")

    with pytest.raises(InputError, match="exists already"):
        write(log, [form], out)
    assert files[0].read_bytes() == b"mine"
    assert write(log, [form], out, force=True) == files
    assert files[0].read_bytes() != b"mine"


@pytest.mark.parametrize("form", FORMS)
def test_a_race_of_which_nothing_but_its_head_is_left_exports(form, tmp_path, out):
    bare = write_log(tmp_path / "bare.rlog", [Note(t=0, text="alone")])

    assert write(bare, [form], out)


def test_the_command_prints_the_files_it_wrote(log, out, capfd):
    assert run(["export", str(log), "-f", "md, har", "-o", str(out)]) == 0

    assert capfd.readouterr().out.splitlines() == sorted(map(str, out.iterdir()), reverse=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-f", "xlsx"], "no such form 'xlsx'; there are cast, csv, har, html, json, jsonl, mcap, md"),
        (["-f", ","], "-f names no form"),
    ],
)
def test_a_form_that_is_not_there_is_named(arguments, said, log, out, capfd):
    assert run(["export", str(log), *arguments, "-o", str(out)]) == 2
    assert said in capfd.readouterr().err


def test_a_race_that_is_sealed_after_it_was_looked_up_is_exported(log, out, monkeypatch):
    monkeypatch.setattr("racelog.export.source.find_race", lambda *_: log.with_suffix(".live"))

    assert [file.suffix for file in write(log, ["md"], out)] == [".md"]


def test_a_race_that_is_not_there_is_named(out):
    with pytest.raises(RaceNotFound):
        write("1999", ["md"], out)


def test_a_folder_that_cannot_be_made_is_an_error_of_one_line(log, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="cannot write into"):
        write(log, ["md"], tmp_path / "file")


def test_a_race_s_id_cannot_name_a_file_elsewhere(tmp_path, out):
    race = ScriptedRace([Plan("a")])
    events = [
        msgspec.structs.replace(event, race_id="../../escape") if isinstance(event, RaceFacts) else event
        for event in race.events()
    ]
    path = write_log(tmp_path / "odd.rlog", events, race_id="../../escape")

    (file,) = write(path, ["md"], out)

    assert file.parent == out
    assert os.sep not in file.name
