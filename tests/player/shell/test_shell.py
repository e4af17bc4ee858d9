"""The SQL shell: typed into through a pipe, as a person would, and read from standard input, as a script would."""

import io

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from racelog.cli import run
from racelog.query.connection.connect import connect
from racelog.testing.races import Plan, ScriptedRace
from racelog_player.shell.questions import is_complete, questions_in
from racelog_player.shell.shell import answer_all, asked, completer, new_session, words


@pytest.fixture
def connection(tmp_path):
    return connect(ScriptedRace([Plan("fast", ttft_ms=40), Plan("slow")]).write_file(tmp_path / "race.rlog"))


def typed(connection, keys, history):
    """Type ``keys`` into the shell until it ends."""
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        answer_all(connection, asked(new_session(connection, history)))


def test_a_query_over_two_lines_is_answered_when_its_semicolon_comes(connection, tmp_path, capfd):
    typed(connection, "select engine\rfrom lanes order by 1;\r\x04", tmp_path / "history")

    assert capfd.readouterr().out.splitlines() == ["engine", "──────", "fast", "slow"]


def test_a_mistake_is_told_and_the_shell_goes_on(connection, tmp_path, capfd):
    typed(connection, "drop table lanes;\rselect 1 as one;\r\x04", tmp_path / "history")

    out, err = capfd.readouterr()
    assert out.splitlines()[0] == "one"
    assert err.startswith("racelog: DROP is refused")
    assert "Traceback" not in err


def test_ctrl_c_drops_the_line_and_quit_leaves(connection, tmp_path, capfd):
    typed(connection, "select 1\x03.quit\rselect 2;\r", tmp_path / "history")

    assert capfd.readouterr().out == ""


def test_what_was_asked_is_remembered_for_the_next_time(connection, tmp_path, capfd):
    typed(connection, "select 7 as seven;\r\x04", tmp_path / "deep" / "history")
    typed(connection, "\x1b[A\r\x04", tmp_path / "deep" / "history")

    assert capfd.readouterr().out.split().count("seven") == 2


def test_without_a_place_for_history_it_works(connection, tmp_path, capfd):
    (tmp_path / "file").write_text("")

    typed(connection, "select 1 as one;\r\x04", tmp_path / "file" / "history")

    assert "one" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("before", "completed"),
    [
        (".ta", ".tables"), ("@slowest-t", "@slowest-tokens"), ("from req", "requests"), ("select tpot", "tpot_ms"),
        ("from vllm", "vllm_bench"), ("select a fr", "from"),
        ("select lanes.eng", "engine"), ("select a-tpot", "tpot_ms"),
    ],
)  # fmt: skip
def test_completion_knows_commands_queries_tables_columns_macros_and_keywords(before, completed, connection):
    found = completer(words(connection)).get_completions(Document(before), CompleteEvent())

    assert completed in [completion.text for completion in found]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (".schema r", ["races", "requests"]),
        (".schema tpo", []),
        (".plot s", ["scatter"]),
        ("select eng", ["engine", "engine_samples"]),
        ("from eng", ["engine_samples", "engine"]),
        ("select 1 from lanes join eng", ["engine_samples", "engine"]),
    ],
)
def test_completion_offers_what_fits_the_words_before(before, found, connection):
    offers = completer(words(connection)).get_completions(Document(before), CompleteEvent())

    assert [completion.text for completion in offers][:2] == found


def test_dot_commands_tell_tables_columns_and_examples(connection, capfd):
    answer_all(connection, [".tables", ".schema marks", ".examples", ".help"])

    out = capfd.readouterr().out
    assert ["lanes", "2"] in [line.split() for line in out.splitlines()]
    assert "set_by             VARCHAR    user or auto" in out
    assert "@slowest-tokens" in out
    assert "Ctrl-D" in out


def test_a_saved_query_runs_by_its_name(connection, capfd):
    answer_all(connection, ["@leaderboard;"])

    assert capfd.readouterr().out.splitlines()[2].split()[1:3] == ["1", "fast"]  # its place, then its name


def test_a_saved_query_takes_its_parameters_after_its_name(connection, capfd):
    answer_all(connection, ["@goodput ttft_ms=50;", "@goodput ttft_ms=500"])

    first, second = capfd.readouterr().out.split("race_id")[1:]
    assert [row.split()[2:4] for row in first.splitlines()[2:]] == [["fast", "4"], ["slow", "0"]]
    assert [row.split()[2:4] for row in second.splitlines()[2:]] == [["fast", "4"], ["slow", "4"]]


def test_a_plot_is_drawn_in_the_shell(connection, capfd):
    answer_all(connection, [".plot scatter select ttft_ms, e2e_ms from requests;"])

    assert capfd.readouterr().out.splitlines()[0] == "e2e (ms)"


def test_a_query_to_be_drawn_takes_several_lines(connection, tmp_path, capfd):
    query = (
        ".plot scatter select ttft_ms, e2e_ms -- two columns\rfrom requests\rwhere status <> 'a  b';\r\x04"
    )

    typed(connection, query, tmp_path / "history")

    assert capfd.readouterr().out.splitlines()[0] == "e2e (ms)"


def test_a_saved_query_to_be_drawn_is_sent_by_enter():
    assert [
        is_complete(text) for text in (".plot hist @itl", ".plot", ".plot hist", ".plot hist select 1")
    ] == [
        True,
        True,
        True,
        False,
    ]


def test_schema_alone_lists_every_tables_columns(connection, capfd):
    answer_all(connection, [".schema"])

    assert "marks(race_id, t_ns, label, set_by)" in capfd.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (".nothing", "no command '.nothing'"),
        (".schema nothing", "takes one table: races"),
        (".plot", ".plot takes line, hist, scatter and a query"),
        ("@goodput ttft", "'ttft' is no NAME=VALUE"),
        ("@nothing", "no saved query"),
    ],
)
def test_an_unknown_command_says_what_there_is(question, said, connection, capfd):
    answer_all(connection, [question])

    assert said in capfd.readouterr().err


@pytest.mark.parametrize(
    "text",
    ["select 1;", " .tables", "@itl", "", "select 1; \n", "select 1; -- done", "select 1; select 2;", "-- only a word", "select ';' as x;"],
)  # fmt: skip
def test_enter_sends_what_is_complete(text):
    assert is_complete(text)


@pytest.mark.parametrize(
    "text", ["select 1\nfrom lanes", "select ';", 'select 1 as "a;b', "select 1 /* ;", "select $$ ;", "select 1; select", ".plot line select 1"]
)  # fmt: skip
def test_enter_opens_a_line_in_what_is_not(text):
    assert not is_complete(text)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("select 1,\n 2;\n\n.tables\nselect 3\n", ["select 1,\n 2;", ".tables", "select 3"]),
        ("select 1; select 2;\n", ["select 1;", "select 2;"]),
        ("select 1; -- the first; of two\nselect 2;", ["select 1;", "select 2;"]),
        ("select ';' as x; select 'it''s; ok';", ["select ';' as x;", "select 'it''s; ok';"]),
        ("select 'a\n;\n.b';", ["select 'a\n;\n.b';"]),
        ("select 1 /* ; /* ; */ */; select $a$;$a$;", ["select 1 /* ; /* ; */ */;", "select $a$;$a$;"]),
        ('select 1 as "a;b"', ['select 1 as "a;b"']),
        (".tables;\n@itl;\n@cost per_hour=3\n", [".tables", "@itl", "@cost per_hour=3"]),
        ("-- what there is\n.tables\n", [".tables"]),
        ("select 1; .tables\nselect 2", ["select 1;", ".tables", "select 2"]),
        (".plot line\nselect 1;", [".plot line", "select 1;"]),
        (".plot line select 1,\n 2; select 3", [".plot line select 1,\n 2;", "select 3"]),
        (".plot line @itl\nselect 3;", [".plot line @itl", "select 3;"]),
        ("; ;\n;", []),
        ("-- nothing", []),
        ("select 'open", ["select 'open"]),
    ],
)
def test_questions_end_at_semicolons_that_are_in_no_text_name_or_comment(text, asked):
    assert list(questions_in(io.StringIO(text))) == asked


@pytest.mark.parametrize(
    ("script", "code", "out"),
    [
        ("select 1 as x; select 2 as y;", 0, "x\n─\n1\ny\n─\n2\n"),
        ("select nothing; select 2 as y;", 2, "y\n─\n2\n"),
        ("select 2 as y; .nothing", 2, "y\n─\n2\n"),
        ("select 2 as y; .quit; select 3;", 0, "y\n─\n2\n"),
        ("\ufeffselect 2 as y", 0, "y\n─\n2\n"),
    ],
)  # fmt: skip
def test_a_script_answers_all_and_ends_with_the_code_of_the_first_mistake(
    script, code, out, monkeypatch, capfd
):
    monkeypatch.setattr("sys.stdin", io.StringIO(script))

    assert run(["shell"]) == code
    assert capfd.readouterr().out == out


def test_a_script_is_read_from_standard_input(tmp_path, capfd, monkeypatch):
    path = ScriptedRace([Plan("fast")]).write_file(tmp_path / "race.rlog")
    monkeypatch.setattr("sys.stdin", io.StringIO("select engine from lanes;\n"))

    assert run(["shell", str(path)]) == 0
    assert capfd.readouterr().out.split() == ["engine", "──────", "fast"]
