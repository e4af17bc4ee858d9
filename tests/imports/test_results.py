"""What aiperf, vllm bench and guidellm wrote becomes a race: their numbers again, nothing made up, refused where it must be.

The files in data/ are real outputs of six requests of ten tokens each to the truth server (tests/bench/truth_server.c),
cut to what is read and to what their tools report. The server writes its send time into every token.
"""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

import racelog
from racelog.cli import run
from racelog.errors import InputError
from racelog.events import Tokens
from racelog.export import write
from racelog.log.rewrite.verify import verify_log
from racelog_recorder.imports import import_results
from racelog_recorder.imports import reading as bounds
from tests.core.export.har_schema import HAR
from tests.imports.own_numbers import own_numbers

DATA = Path(__file__).parent / "data"
AIPERF = DATA / "aiperf"
RAW, RECORDS = AIPERF / "profile_export_raw.jsonl", AIPERF / "profile_export.jsonl"
VLLM, GUIDELLM = DATA / "vllm-bench.json", DATA / "guidellm.json"
FILES = [RAW, RECORDS, VLLM, GUIDELLM]
SUMMARIES = {
    RAW: AIPERF / "profile_export_aiperf.json",
    RECORDS: AIPERF / "profile_export_aiperf.json",
    VLLM: VLLM,
    GUIDELLM: GUIDELLM,
}
DIALECTS = {RAW: "aiperf", RECORDS: "aiperf", VLLM: "vllm_bench", GUIDELLM: "guidellm"}


def named(path):
    return path.name


every_file = pytest.mark.parametrize("file", FILES, ids=named)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "race.rlog"


def changed(tmp_path, file, change):
    """Write a document as ``change`` left it; return where."""
    document = json.loads(file.read_text())
    change(document)
    path = tmp_path / file.name
    path.write_text(json.dumps(document))
    return path


def changed_line(tmp_path, file, change):
    """Write the first line of a file of JSON lines as ``change`` left it; return where."""
    first = json.loads(file.read_text().splitlines()[0])
    change(first)
    path = tmp_path / file.name
    path.write_text(json.dumps(first) + "\n")
    return path


@every_file
def test_the_macro_gives_the_numbers_that_the_tool_reports(file, out):
    import_results(file, out)
    rows = (
        racelog.connect(out).execute(f"select metric, mean, p50, p90, p99 from {DIALECTS[file]}()").fetchall()
    )

    ours = {metric: dict(zip(("mean", "p50", "p90", "p99"), rest, strict=True)) for metric, *rest in rows}

    assert ours == {
        metric: pytest.approx(numbers, rel=1e-6)
        for metric, numbers in own_numbers(DIALECTS[file], SUMMARIES[file]).items()
    }


@every_file
def test_an_imported_race_is_whole_and_says_where_it_is_from(file, out):
    done = import_results(file, out)
    log = racelog.open(out)

    assert verify_log(out).state == "whole"
    assert log.race is not None
    assert log.race.imported_from == done.tool
    assert log.race.plan["imported"]["file"] == file.name
    assert {letter for batch in log.of(Tokens) for letter in batch.s} <= {"u", "U"}
    assert (done.requests, done.lanes) == (6, 1)


@every_file
def test_a_file_always_gives_the_same_race(file, tmp_path):
    first, second = (import_results(file, tmp_path / name) for name in ("a.rlog", "b.rlog"))

    assert first.race_id == second.race_id
    assert first.path.read_bytes() == second.path.read_bytes()


def test_raw_records_keep_every_time_and_text(out):
    import_results(RAW, out)
    con = racelog.connect(out)

    errors = [
        error
        for (error,) in con.execute(
            "select (t_ns + mono_origin_ns - trim(text)::bigint) / 1e6 from tokens join races using (race_id)"
        ).fetchall()
    ]

    assert len(errors) == 60
    assert all(0 < error < 1000 for error in errors)  # the truth is in the text; aiperf read it later
    assert con.execute(
        "select distinct finish_reason, output_tokens, input_tokens, http_status from requests"
    ).fetchall() == [("stop", 10, 8, 200)]
    assert con.execute(
        "select count(distinct prompt) from requests where prompt like 'Tell me about%'"
    ).fetchone() == (6,)


def test_what_a_tool_did_not_keep_is_unknown(out, tmp_path):
    vllm = racelog.connect(import_results(VLLM, out).path)
    guidellm = racelog.connect(import_results(GUIDELLM, tmp_path / "g.rlog").path)

    assert vllm.execute("select started_at, mono_origin_ns > 0 from races").fetchall() == [(None, True)]
    assert vllm.execute("select distinct url from lanes").fetchall() == [("",)]
    assert vllm.execute(
        "select count(*) from requests where t_headers_ns is not null or prompt <> ''"
    ).fetchone() == (0,)
    assert guidellm.execute("select count(distinct prompt) from requests where prompt <> ''").fetchone() == (
        6,
    )
    assert guidellm.execute("select kept from lanes").fetchall() == [("ends",)]
    assert guidellm.execute("select mono_origin_ns from races").fetchall() == [(0,)]
    assert guidellm.execute("select count(*) from tokens").fetchone() == (12,)
    assert guidellm.execute(
        "select count(*), min(output_tokens) from requests where response <> ''"
    ).fetchone() == (6, 10)


def test_an_open_loop_keeps_when_requests_were_due(out):
    import_results(VLLM, out)
    con = racelog.connect(out)
    waits = json.loads(VLLM.read_text())["queue_times"]

    assert con.execute("select rate_per_s, arrival from races").fetchall() == [(20.0, "poisson")]
    assert [row[0] for row in con.execute("select queue_ms from requests order by prompt_id").fetchall()] == [
        pytest.approx(wait * 1000, abs=1e-5) for wait in waits
    ]


def test_the_folder_of_aiperf_is_as_good_as_its_file(out):
    assert import_results(AIPERF, out).source == RAW


@every_file
def test_every_view_takes_an_imported_race(file, out, capfd):
    import_results(file, out)

    assert run(["info", str(out)]) == 0
    assert run(["play", str(out), "--dry-run"]) == 0
    assert run(["card", str(out), "-o", str(out.with_suffix(".png"))]) == 0
    assert run(["verify", str(out)]) == 0
    shown = capfd.readouterr().out
    assert f"imported from {file.name}" in " ".join(shown.split())


@every_file
def test_every_export_takes_an_imported_race(file, out, tmp_path):
    import_results(file, out)

    (archive,) = write(out, ["har"], tmp_path)
    markdown, *_ = others = write(out, ["md", "html", "json", "perfetto", "cast"], tmp_path)

    assert len(others) == 5
    assert "not by racelog" in markdown.read_text()
    HAR.validate(json.loads(archive.read_bytes()))


def test_gaps_between_kept_ends_are_in_no_number(out, capfd):
    import_results(GUIDELLM, out)

    assert run(["info", str(out), "--json"]) == 0
    (lane,) = json.loads(capfd.readouterr().out)["race"]["lanes"]

    assert lane["itl_ms"] is None
    assert lane["tpot_ms"]["p50"] == pytest.approx(20, abs=5)


def test_the_command_imports_into_the_home_and_never_over_a_race(tmp_path, capfd):
    arguments = ["import", str(RAW), str(GUIDELLM), "--home", str(tmp_path)]

    assert run([*arguments, "--json"]) == 0
    done = json.loads(capfd.readouterr().out)
    assert sorted(one["path"] for one in done) == sorted(map(str, (tmp_path / "races").iterdir()))
    assert [one["tool"] for one in done] == ["aiperf", "guidellm"]
    assert run(arguments) == 2
    assert "exists already" in capfd.readouterr().err
    assert run([*arguments, "--force", "--engine", "mine"]) == 0
    assert racelog.connect(home=tmp_path).execute("select distinct engine from lanes").fetchall() == [
        ("mine",)
    ]


def test_what_was_imported_before_a_file_that_is_refused_is_told(tmp_path, capfd):
    cut = tmp_path / "cut.json"
    cut.write_bytes(VLLM.read_bytes()[:500])

    assert run(["import", str(GUIDELLM), str(cut), "--home", str(tmp_path)]) == 2

    out, err = capfd.readouterr()
    assert out.startswith(f"imported {GUIDELLM} ")
    assert "cut.json is not a file that racelog imports (Input data was truncated)" in err


def test_a_summary_is_refused_by_its_name(tmp_path, capfd):
    summary = RAW.with_name("profile_export_aiperf.json")

    assert run(["import", str(summary), "--home", str(tmp_path)]) == 2
    assert f"{summary}: this is aiperf's summary" in capfd.readouterr().err


def test_one_log_cannot_be_written_of_two_files(out, capfd):
    assert run(["import", str(RAW), str(VLLM), "-o", str(out)]) == 2
    assert "there are 2 files" in capfd.readouterr().err


def without_times(document):
    for name in ("ttfts", "itls", "start_times"):
        document.pop(name, None)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        (VLLM, without_times, "--save-detailed"),
        (VLLM, lambda d: d.pop("start_times"), "start_times"),
        (VLLM, lambda d: d["ttfts"].pop(), "not of one length"),
        (VLLM, lambda d: d["itls"][0].__setitem__(0, -1.0), "negative gap"),
        (VLLM, lambda d: d["ttfts"].__setitem__(0, 1e300), "which is not a time"),
        (VLLM, lambda d: d.update(ttfts=[0.0] * 6), "of its 6 answered requests none has the time of a token"),
        (VLLM, lambda d: d.update(itls="no"), r"^vllm-bench\.json: .*\$\.itls"),
        (GUIDELLM, lambda d: d["benchmarks"][0].update(requests={}), "told not to keep them"),
        (GUIDELLM, lambda d: d.update(benchmarks=[]), "holds no benchmark"),
        (SUMMARIES[RAW], lambda _d: None, "aiperf's summary"),
    ],
)  # fmt: skip
def test_a_document_that_holds_too_little_is_refused_with_the_reason(file, change, said, tmp_path, out):
    path = changed(tmp_path, file, change)

    with pytest.raises(InputError, match=said):
        import_results(path, out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        (RAW, lambda d: d.update(responses=[]), "was the answer streamed"),
        (RAW, lambda d: d.update(start_perf_ns=-1), "line 1"),
        (RAW, lambda d: d.update(start_perf_ns=1 << 62), "line 1"),
        (RAW, lambda d: d["responses"][0].update(perf_ns=1), "arrived before it was sent"),
        (RECORDS, lambda d: d["metrics"]["time_to_first_token"].update(value="soon"), "not a length of time"),
        (RECORDS, lambda d: d["metrics"]["inter_chunk_latency"].update(value=[-3]), "not a length of time"),
        (RECORDS, lambda d: d.update(metrics={}), "of its 1 answered request none has"),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_is_refused_with_its_line(file, change, said, tmp_path, out):
    path = changed_line(tmp_path, file, change)

    with pytest.raises(InputError, match=said):
        import_results(path, out)
    assert not out.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"{}", b"[]", b"null", b"hello", b"\xff\xfe\x00", b"{" * 100_000, b'{"a":' * 100_000, b'{"itls": 1, "ttfts": NaN}'],
    ids=repr,
)  # fmt: skip
def test_what_is_no_result_is_refused(content, tmp_path, out):
    path = tmp_path / "odd.json"
    path.write_bytes(content)

    with pytest.raises(InputError):
        import_results(path, out)


def test_a_file_that_is_too_large_is_not_read(tmp_path, out, monkeypatch):
    monkeypatch.setattr(bounds, "MOST_DOCUMENT_BYTES", 1000)
    monkeypatch.setattr(bounds, "MOST_LINES_BYTES", 1000)

    with pytest.raises(InputError, match="larger than 1,000 bytes"):
        import_results(RAW, out)
    monkeypatch.setattr(bounds, "MOST_LINE_BYTES", 100)
    with pytest.raises(InputError, match="larger than 1,000 bytes"):
        import_results(GUIDELLM, out)


def test_neither_a_missing_file_nor_a_pipe_is_waited_for(tmp_path, out):
    os.mkfifo(tmp_path / "pipe")

    for path, said in (
        (tmp_path / "none", os.strerror(errno.ENOENT)),
        (tmp_path / "pipe", "is not a file"),
        (tmp_path, "holds none"),
    ):
        with pytest.raises(InputError, match=said):
            import_results(path, out)


def test_hostile_text_and_broken_messages_stay_text(tmp_path, out, capfd):
    hostile = "\x1b[2J\u202e</script>"

    def spoil(record):
        record["responses"][1]["packets"][0]["value"] = json.dumps(
            {"choices": [{"delta": {"content": hostile}}]}
        )
        record["responses"][2]["packets"][0]["value"] = '{"choices":[{"delta":{"content":"\\ud800"}}]}'
        record["responses"][3]["packets"][0]["value"] = "{"
        record["payload"]["model"] = hostile
        record["payload"]["api_key"] = "sk-secret"

    path = changed_line(tmp_path, RAW, spoil)
    import_results(path, out)

    texts = [
        row[0] for row in racelog.connect(out).execute("select text from tokens order by seq").fetchall()
    ]
    assert texts[1:3] == [hostile, "\ufffd"]
    assert len(texts) == 9
    assert b"sk-secret" not in b"".join(json.dumps(one).encode() for one in dumped(out, capfd))
    assert run(["info", str(out)]) == 0
    assert "\x1b[2J" not in capfd.readouterr().out


def dumped(path, capfd):
    assert run(["dump", str(path)]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_failures_are_told_with_their_reason_and_without_secrets(tmp_path, out):
    def fail(document):
        document["errors"][0] = (
            "Traceback\n  File\nTimeoutError: sk-abcdefghijklmnopqrstuvwxyz123456 timed out"
        )
        document["ttfts"][0], document["itls"][0], document["output_lens"][0] = 0.0, [], 0

    import_results(changed(tmp_path, VLLM, fail), out)
    rows = (
        racelog.connect(out).execute("select error_message from requests where status = 'failed'").fetchall()
    )

    (message,) = rows[0]
    assert message.startswith("TimeoutError: ")
    assert "abcdefghijklmnopqrstuvwxyz" not in message


def test_several_benchmarks_are_lanes_one_after_another(tmp_path, out):
    def twice(document):
        document["benchmarks"] = [
            document["benchmarks"][0],
            json.loads(json.dumps(document["benchmarks"][0])),
        ]
        document["benchmarks"][1]["config"]["strategy"].update(streams=9)

    import_results(changed(tmp_path, GUIDELLM, twice), out)
    con = racelog.connect(out)

    assert con.execute("select engine from lanes order by lane_id").fetchall() == [
        ("concurrent@3",),
        ("concurrent@9",),
    ]
    assert con.execute("select grid from races").fetchall() == [("time-trial",)]


def test_a_url_s_secrets_stay_out(tmp_path, out, capfd):
    shutil.copytree(AIPERF, tmp_path / "artifacts")
    summary = tmp_path / "artifacts" / "profile_export_aiperf.json"
    summary.write_text(summary.read_text().replace("http://127.0.0.1", "http://me:hidden@127.0.0.1"))

    import_results(tmp_path / "artifacts", out)

    assert "hidden" not in json.dumps(dumped(out, capfd))
