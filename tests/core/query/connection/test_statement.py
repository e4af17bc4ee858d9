"""One reading statement and nothing else, with errors that say what there is."""

import os
import signal
import threading
from datetime import UTC, datetime

import duckdb
import pytest

from racelog.errors import InputError
from racelog.query.connection.connect import connect
from racelog.query.connection.statement import run_statement
from racelog.testing.races import Plan, ScriptedRace


@pytest.fixture
def connection(tmp_path):
    return connect(ScriptedRace([Plan("a")]).write_file(tmp_path / "race.rlog"))


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("copy marks to '/tmp/out.csv'", "COPY"),
        ("attach ':memory:' as other", "ATTACH"),
        ("install httpfs", "LOAD"),
        ("load httpfs", "LOAD"),
        ("export database '/tmp/out'", "EXPORT"),
        ("create table mine(a int)", "CREATE"),
        ("create temp table mine(a int)", "CREATE"),
        ("insert into marks values ('r', 1, 'l', 'user')", "INSERT"),
        ("update marks set label = ''", "UPDATE"),
        ("delete from marks", "DELETE"),
        ("drop table marks", "DROP"),
        ("pragma database_list", "PRAGMA"),
        ("set threads = 1", "SET"),
        ("set variable a = 1", "SET"),
        ("call pragma_version()", "CALL"),
        ("begin", "TRANSACTION"),
        ("explain analyze delete from marks", "EXPLAIN of DELETE"),
        ("explain /* select */ analyze copy marks to '/tmp/out.csv'", "EXPLAIN of COPY"),
        ("-- explain select 1\nexplain analyze drop table marks", "EXPLAIN of DROP"),
    ],
)
def test_what_does_more_than_read_is_refused_by_its_kind(connection, query, kind):
    with pytest.raises(InputError, match=f"^{kind} is refused: a query reads only"):
        run_statement(connection, query)


def test_a_reading_statement_cannot_carry_a_change(connection):
    with pytest.raises(InputError, match="reads only"):
        run_statement(connection, "with gone as (delete from lanes returning *) select * from gone")

    assert list(connection.execute("rollback").execute("select count(*) from lanes").fetchall()) == [(1,)]


@pytest.mark.parametrize(
    "query", ["select 1; select 2", "select 1; drop table marks", "explain select 1; select 2"]
)
def test_several_statements_are_refused(connection, query):
    with pytest.raises(InputError, match="the query holds 2 statements; give one"):
        run_statement(connection, query)


@pytest.mark.parametrize("query", ["", "  \n", "-- nothing", ";"])
def test_an_empty_query_says_what_to_try(connection, query):
    with pytest.raises(InputError, match="the query is empty; try"):
        run_statement(connection, query)


@pytest.mark.parametrize(
    "query",
    [
        "select 1", "from lanes", "table lanes", "values (1)", "with a as (select 1) from a", "describe lanes",
        "show tables", "summarize lanes", "explain from lanes", "explain analyze from lanes", "select 1;",
        "explain (format json) from lanes", "pivot requests on status using count(*)", "/* c */ select 1 -- c",
    ],
)  # fmt: skip
def test_everything_that_reads_is_allowed(connection, query):
    assert list(run_statement(connection, query).rows)


def test_an_unknown_table_is_answered_with_the_tables(connection):
    with pytest.raises(InputError, match=r"(?s:.*)request\b(?s:.*)Tables: races, lanes, requests, tokens"):
        run_statement(connection, "from request")


def test_an_unknown_column_is_answered_with_the_columns_of_its_tables(connection):
    with pytest.raises(InputError, match=r"(?s:.*)foo(?s:.*)Columns: marks\(race_id, t_ns, label, set_by\)$"):
        run_statement(connection, "select foo from marks")


def test_a_parameter_of_a_wrong_type_is_named(connection):
    with pytest.raises(InputError, match=r"Given: \$limit = 'abc'$"):
        list(run_statement(
            connection, "from requests where ttft_ms > $limit and request_id = $id", {"limit": "abc", "id": 1},
        ).rows)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "given", "said"),
    [
        ("select $a + $b", {"a": 1}, r"the query's \$b has no value; give one: -p b=\.\.\."),
        ("select $a", {"a": 1, "c": 2}, r"the query has no parameter \$c; there are \$a"),
        ("select 1", {"c": 2}, r"the query has no parameter \$c; there are none"),
    ],
)
def test_a_parameter_too_few_or_too_many_is_named(query, given, said, connection):
    with pytest.raises(InputError, match=said):
        run_statement(connection, query, given)


def test_bad_syntax_is_shown_where_it_is(connection):
    with pytest.raises(InputError, match=r"(?m)^LINE 1: selec 1$"):
        run_statement(connection, "selec 1")


def test_an_error_while_rows_are_read_is_explained_too(connection):
    with pytest.raises(InputError):
        list(run_statement(connection, "select prompt::int from requests").rows)


def test_an_error_that_quotes_a_log_cannot_drive_the_terminal(connection):
    with pytest.raises(InputError) as caught:
        list(run_statement(connection, "select (chr(27) || '[2J')::int from requests").rows)

    assert "\x1b" not in str(caught.value)


def test_a_time_with_zone_is_shown(connection):
    result = run_statement(connection, "select timestamptz '2026-11-30 20:00:00+00'")

    assert list(result.rows) == [(datetime(2026, 11, 30, 20, tzinfo=UTC),)]


@pytest.fixture
def heeding_ctrl_c():
    """Ctrl+C raises here, also where the tests run in the background and it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_ends_a_query_that_recurses_for_ever():
    running = threading.Event()

    def begin(number: int) -> int:
        running.set()
        return number

    def press() -> None:
        running.wait()
        os.kill(os.getpid(), signal.SIGINT)

    with duckdb.connect() as connection:
        connection.create_function("begin", begin)
        user = threading.Thread(target=press)
        user.start()
        endless = (
            "with recursive t(n) as (select begin(1) union all select n + 1 from t) select count(*) from t"
        )

        with pytest.raises(KeyboardInterrupt):
            list(run_statement(connection, endless, unsafe=True).rows)
        user.join()

        assert connection.execute("select 1").fetchall() == [(1,)]
