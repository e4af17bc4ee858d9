"""Result files as people really have them: Python's Infinity, failures alone, early names, several results in one.

Each is one of the files in data/, changed as the tool itself, another version of it or a shell would have written it.
"""

import gzip
import json
from pathlib import Path

import pytest

import racelog
from racelog.cli import run
from racelog.errors import InputError
from racelog.testing.races import Plan, ScriptedRace
from racelog_recorder.imports import SeveralResults, import_every, import_results
from tests.core.query.recorded import store

DATA = Path(__file__).parent / "data"
RAW, RECORDS = (DATA / "aiperf" / name for name in ("profile_export_raw.jsonl", "profile_export.jsonl"))
VLLM, GUIDELLM = DATA / "vllm-bench.json", DATA / "guidellm.json"

NO_TOKEN = {"ttfts": [0.0] * 6, "itls": [[]] * 6, "output_lens": [0] * 6, "generated_texts": [""] * 6}
SGLANG = {"backend": "sglang-oai", "total_output_tokens_retokenized": 60, "mean_ttft_ms": 1.0}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "race.rlog"


@pytest.fixture
def vllm():
    return json.loads(VLLM.read_text())


@pytest.fixture
def guidellm():
    return json.loads(GUIDELLM.read_text())


@pytest.fixture
def write(tmp_path):
    """Return what writes a document, or lines of them, and says where."""

    def written(*documents, joined="\n", **how):
        path = tmp_path / "result.json"
        path.write_text(joined.join(json.dumps(one, **how) for one in documents))
        return path

    return written


def requests(benchmark):
    return benchmark["requests"]["successful"]


def all_failed(benchmark):
    """Change a benchmark of guidellm's into one whose requests failed before a token came."""
    failed = benchmark["requests"].pop("successful")
    for request in failed:
        request["info"]["error"] = "HTTPStatusError: 503"
        timings = request["info"]["timings"]
        request["info"]["timings"] = {key: value for key, value in timings.items() if "iteration" not in key}
    benchmark["requests"]["errored"] = failed
    return benchmark


def asked(path, query):
    return racelog.connect(path).execute(query).fetchall()


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")], ids=str)
def test_a_number_that_nobody_reads_may_be_none_of_json_s(value, vllm, write, out):
    done = import_results(write(vllm | {"mean_tpot_ms": value}), out)

    assert (done.requests, done.chunks) == (6, 66)


def test_an_infinite_burstiness_is_a_constant_rate(vllm, write, out):
    import_results(write(vllm | {"burstiness": float("inf")}), out)

    assert asked(out, "select rate_per_s, arrival from races") == [(20.0, "constant")]


def test_an_infinite_rate_is_no_rate(vllm, write, out):
    import_results(write(vllm | {"request_rate": float("inf")}), out)

    assert asked(out, "select rate_per_s, arrival from races") == [(None, None)]


def test_a_time_that_is_no_number_is_refused_by_its_name(vllm, write, out):
    vllm["ttfts"][3] = float("nan")

    with pytest.raises(InputError, match=r"result\.json.*ttfts\[3\]"):
        import_results(write(vllm), out)


def test_half_a_surrogate_pair_beside_an_infinity_is_one_replacement(vllm, write, out):
    vllm["generated_texts"][0] = "a\ud800b"

    import_results(write(vllm | {"burstiness": float("inf")}), out)

    assert asked(out, "select response from requests where prompt_id = 0") == [("a\ufffdb",)]


def test_a_lane_in_which_every_request_failed_is_a_lane_of_a_sweep(guidellm, write, out):
    again = json.loads(json.dumps(guidellm["benchmarks"][0]))
    again["config"]["strategy"]["streams"] = 9
    guidellm["benchmarks"].append(all_failed(again))

    import_results(write(guidellm), out)

    assert asked(
        out,
        "select engine, requests.status, count(*) from requests join lanes using (lane_id) group by all order by all",
    ) == [("concurrent@3", "ok", 6), ("concurrent@9", "failed", 6)]


def test_a_benchmark_that_sent_nothing_is_told_and_left_out(guidellm, write, out):
    again = json.loads(json.dumps(guidellm["benchmarks"][0])) | {"requests": {"errored": []}}
    again["config"]["strategy"]["streams"] = 9
    guidellm["benchmarks"].append(again)

    done = import_results(write(guidellm), out)

    assert asked(out, "select engine from lanes") == [("concurrent@3",)]
    assert "concurrent@9 was left out: no request of it was sent, or kept" in done.notes


def test_a_request_that_failed_before_it_was_sent_is_a_failure(guidellm, write, out):
    benchmark = all_failed(guidellm["benchmarks"][0])
    for request in benchmark["requests"]["errored"]:
        del request["info"]["timings"]["request_start"]

    import_results(write(guidellm), out)

    assert asked(out, "select status, error_message, count(*) from requests group by all") == [
        ("failed", "HTTPStatusError: 503", 6)
    ]


def test_a_run_of_vllm_bench_in_which_all_failed_is_a_race_of_failures(vllm, write, out):
    import_results(write(vllm | NO_TOKEN | {"errors": ["Traceback\nConnectError: refused"] * 6}), out)

    assert asked(out, "select status, error_message, count(*) from requests group by all") == [
        ("failed", "ConnectError: refused", 6)
    ]


def test_a_failure_of_vllm_bench_without_a_word_is_a_failure(vllm, write, out):
    import_results(write(vllm | NO_TOKEN), out)

    assert asked(out, "select distinct status from requests") == [("failed",)]


def test_a_run_of_aiperf_in_which_all_failed_is_a_race_of_failures(tmp_path, out):
    records = [json.loads(line) for line in RAW.read_text().splitlines()]
    error = {"code": 503, "type": "HTTPError", "message": "overloaded"}
    failed = [one | {"responses": [], "error": error, "status": 503} for one in records]
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in failed))

    import_results(path, out)

    assert asked(out, "select status, error_kind, count(*) from requests group by all") == [
        ("failed", "http", 6)
    ]


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (200, {"code": 500, "type": "ServerError", "message": "out of memory"}, "error_event"),
        (200, {"code": 502, "type": "SSEResponseError", "message": "out of memory"}, "error_event"),
        (200, {"type": "TimeoutError", "message": "late"}, "unknown"),
        (503, {"code": 503, "type": "HTTPError", "message": "busy"}, "http"),
        (None, {"code": 429, "type": "HTTPError", "message": "busy"}, "http"),
    ],
)
def test_only_a_status_of_http_is_a_failure_of_http(status, error, kind, tmp_path, out):
    record = json.loads(RAW.read_text().splitlines()[0])
    responses = record["responses"] if status == 200 else []
    path = tmp_path / "raw.jsonl"
    path.write_text(json.dumps(record | {"status": status, "error": error, "responses": responses}))

    import_results(path, out)

    assert asked(out, "select status, error_kind from requests") == [("failed", kind)]


def test_an_error_after_tokens_in_aiperf_s_records_is_one_inside_a_stream(tmp_path, out):
    record = json.loads(RECORDS.read_text().splitlines()[0])
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(record | {"error": {"code": 500, "type": "ServerError", "message": "lost"}}))

    import_results(path, out)

    assert asked(out, "select status, error_kind from requests") == [("failed", "error_event")]


def test_the_names_of_an_early_guidellm_are_read(guidellm, write, out, tmp_path):
    import_results(GUIDELLM, tmp_path / "today.rlog")
    for request in requests(guidellm["benchmarks"][0]):
        timings = request["info"]["timings"]
        first, last = timings["first_token_iteration"], timings["last_token_iteration"]
        kept = {key: value for key, value in timings.items() if "iteration" not in key}
        request["info"]["timings"] = kept | {
            "first_iteration": first,
            "last_iteration": last,
            "iterations": 10,
        }

    done = import_results(write(guidellm), out)

    numbers = "select ttft_ms, tpot_ms, output_tokens from requests order by request_id"
    assert asked(out, numbers) == asked(tmp_path / "today.rlog", numbers)
    assert any(
        note.startswith("this guidellm kept when the first and the last message came") for note in done.notes
    )


def test_the_report_of_guidellm_0_3_is_read(guidellm, write, out, tmp_path):
    import_results(GUIDELLM, tmp_path / "today.rlog")
    benchmark = guidellm["benchmarks"][0]
    flat = [
        {
            "request_type": "chat_completions", "prompt": "hello", "output": one["output"],
            "prompt_tokens": one["input_metrics"]["total_tokens"], "output_tokens": one["output_metrics"]["total_tokens"],
            "start_time": one["info"]["timings"]["request_start"], "end_time": one["info"]["timings"]["request_end"],
            "first_token_time": one["info"]["timings"]["first_token_iteration"],
            "last_token_time": one["info"]["timings"]["last_token_iteration"],
        }
        for one in requests(benchmark)
    ]  # fmt: skip
    old = {
        "args": {"strategy": {"type_": "concurrent", "streams": 3}},
        "worker": {"backend_target": "http://127.0.0.1:8000", "backend_model": "truth"},
        "requests": {"successful": flat, "errored": [], "incomplete": []},
    }

    import_results(write({"benchmarks": [old]}), out)

    numbers = "select ttft_ms, tpot_ms, input_tokens, output_tokens from requests order by request_id"
    assert asked(out, numbers) == asked(tmp_path / "today.rlog", numbers)
    assert asked(out, "select engine, url, dialect from lanes") == [
        ("truth", "http://127.0.0.1:8000", "openai-chat")
    ]
    assert asked(out, "select concurrency from races") == [(3,)]


def test_lanes_of_one_load_have_names_of_their_own(guidellm, write, out):
    guidellm["benchmarks"] *= 3

    import_results(write(guidellm), out)

    assert asked(out, "select engine from lanes order by lane_id") == [
        ("concurrent@3",), ("concurrent@3 #2",), ("concurrent@3 #3",),
    ]  # fmt: skip


@pytest.mark.parametrize(("joined", "indent"), [("\n", None), ("", None), ("\n\n", 2)])
def test_appended_results_are_a_race_each(joined, indent, vllm, write, tmp_path):
    later = vllm | {"date": "20261121-094313", "max_concurrency": 8}
    path = write(vllm, later, joined=joined, indent=indent)

    done = list(import_every(path, home=tmp_path))

    assert [one.race_id[:15] for one in done] == ["20261121-084313", "20261121-094313"]
    assert [asked(one.path, "select concurrency, name from races") for one in done] == [
        [(3, "vllm bench: result.json, result 1 of 2")],
        [(8, "vllm bench: result.json, result 2 of 2")],
    ]


def test_results_in_an_array_are_a_race_each(vllm, write, tmp_path):
    path = write([vllm, vllm | {"date": "20261121-094313"}])

    assert len(list(import_every(path, home=tmp_path))) == 2


def test_a_result_that_is_there_twice_is_one_race(vllm, write, tmp_path):
    assert len(list(import_every(write(vllm, vllm), home=tmp_path))) == 1


def test_a_summary_among_results_is_told_and_left_out(vllm, write, tmp_path):
    path = write({"mean_ttft_ms": 1.0, "date": vllm["date"]}, vllm)

    (done,) = import_every(path, home=tmp_path)

    assert done.notes[0].startswith("result 1 of 2 was left out: this is vllm bench's summary")


def test_several_results_do_not_go_into_one_log(vllm, write, out, capfd):
    path = write(vllm, vllm | {"date": "20261121-094313"})

    assert run(["import", str(path), "-o", str(out)]) == 2

    assert f"-o names one log, but {path} holds 2 results; leave it out" in capfd.readouterr().err
    with pytest.raises(SeveralResults):
        import_results(path, out)


def test_the_command_makes_a_race_of_each_result(vllm, write, tmp_path, capfd):
    path = write(vllm, vllm | {"date": "20261121-094313"})

    assert run(["import", str(path), "--home", str(tmp_path), "--json"]) == 0

    assert [Path(one["path"]).exists() for one in json.loads(capfd.readouterr().out)] == [True, True]


@pytest.mark.parametrize(
    "details", [{}, {"ttfts": [0.1], "itls": [[0.1]], "input_lens": [1]}], ids=["summary", "details"]
)
def test_sglang_s_results_are_refused_by_their_tool(details, write, out):
    path = write(SGLANG | details, SGLANG | details)

    with pytest.raises(
        InputError, match="this is SGLang's bench_serving, which does not keep when its requests began"
    ):
        import_results(path, out)


def test_genai_perf_s_results_are_refused_by_their_tool(write, out):
    with pytest.raises(InputError, match="this is genai-perf's"):
        import_results(write({"service_kind": "openai", "experiments": []}), out)


@pytest.mark.parametrize("before", ["\ufeff", "\n\n", "\ufeff\r\n", "  "], ids=repr)
@pytest.mark.parametrize("file", [RAW, VLLM], ids=["lines", "document"])
def test_a_byte_order_mark_and_blank_lines_do_not_matter(before, file, tmp_path, out):
    path = tmp_path / "Result.JSON"
    path.write_bytes(before.encode() + file.read_bytes().replace(b"\n", b"\r\n"))

    assert import_results(path, out).requests == 6


@pytest.mark.parametrize(
    ("content", "name"),
    [(gzip.compress(VLLM.read_bytes()), "gzip"), (VLLM.read_text().encode("utf-16"), "UTF-16")],
    ids=["gzip", "UTF-16"],
)  # fmt: skip
def test_a_result_in_a_wrapping_is_refused_with_its_name(content, name, tmp_path, out):
    path = tmp_path / "result.json"
    path.write_bytes(content)

    with pytest.raises(InputError, match=f"is {name}; unpack it, or write it as UTF-8"):
        import_results(path, out)


@pytest.fixture
def recorded(home):
    """Return a race of the home that began after the one that is imported, and ages before it is."""
    store(home, ScriptedRace([Plan("a", requests=2, tokens=3)]), "20200101-000000-00000001")
    return "20200101-000000-00000001"


def test_latest_after_an_import_is_the_import_in_every_way_of_asking(recorded, vllm, write, capfd):
    imported = next(import_every(write(vllm | {"date": "20190101-000000"}))).race_id

    assert imported < recorded
    assert run(["info", "latest", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["race"]["race_id"] == imported
    assert asked("latest", "select race_id from races") == [(imported,)]
    everything = racelog.connect()
    assert everything.execute("select distinct race_id from vllm_bench('latest')").fetchall() == [(imported,)]


def test_an_import_elsewhere_is_not_latest(recorded, out):
    import_results(VLLM, out)

    assert asked("latest", "select race_id from races") == [(recorded,)]


@pytest.mark.parametrize("file", [RAW, RECORDS], ids=["raw", "records"])
def test_a_last_line_that_is_cut_off_is_told_and_left_out(file, tmp_path, out):
    path = tmp_path / "killed.jsonl"
    path.write_bytes(file.read_bytes().rstrip()[:-40])

    done = import_results(path, out)

    assert done.requests == 5
    assert (
        "killed.jsonl, line 6 is cut off and was left out: the run was ended while it was written"
        in done.notes
    )


def test_a_line_that_is_cut_off_before_others_is_refused(tmp_path, out):
    first, rest = RAW.read_bytes().split(b"\n", 1)
    path = tmp_path / "broken.jsonl"
    path.write_bytes(rest + first[:-40] + b"\n" + rest)

    with pytest.raises(InputError, match=r"broken.jsonl, line 6: "):
        import_results(path, out)


def test_a_whole_surrogate_pair_and_an_escaped_backslash_stay(vllm, tmp_path, out):
    vllm["generated_texts"][0] = "HERE"
    path = tmp_path / "result.json"
    text = json.dumps(vllm | {"mean_tpot_ms": float("nan")})
    path.write_text(text.replace("HERE", r"\ud83d\ude00 \\ud800 \udc00 NaN"))

    import_results(path, out)

    assert asked(out, "select response from requests where prompt_id = 0") == [
        ("\U0001f600 \\ud800 \ufffd NaN",)
    ]


@pytest.mark.parametrize(
    "content",
    ["1," * 50_000, "[" * 100_000, "{}" * 20_000, '""' * 50_000, '"' + "x" * 100_000, "{" * 100_000],
    ids=lambda text: text[:3],
)
def test_a_file_of_many_small_things_is_refused_at_once(content, tmp_path, out):
    path = tmp_path / "odd.json"
    path.write_text(content)

    with pytest.raises(InputError):
        import_results(path, out)
