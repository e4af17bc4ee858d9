"""Every type of DuckDB comes through every form as it is, or is refused in words.

The values are DuckDB's own: the least, the greatest and NULL of each type, as ``test_all_types()`` gives them, and some that
it leaves out. What a form wrote is read back and held against the text that DuckDB makes of the value itself.
"""

import csv
import json
from decimal import Decimal
from functools import cache
from math import isfinite

import duckdb
import pytest

from racelog.cli import run
from racelog.errors import InputError
from racelog.query.connection.connect import load_races
from racelog.query.connection.parquet import write_parquet
from racelog.query.connection.statement import run_statement

ODD_VALUES = {
    "a long decimal": "'12345678901234567890123456789.123456789'::DECIMAL(38,9)",
    "a small decimal": "'0.0000000001'::DECIMAL(38,10)",
    "nanoseconds": "'2026-11-21 02:44:14.123456789'::TIMESTAMP_NS",
    "nanoseconds with a zone": "'2026-11-21 02:44:14.123456789+00'::TIMESTAMPTZ_NS",
    "nanoseconds of a day": "'10:11:12.123456789'::TIME_NS",
    "nanoseconds in a struct": "{'a b': '2026-11-21 02:44:14.123456789'::TIMESTAMP_NS, 'n': 1}",
    "nanoseconds in a map of lists": "MAP {'k': ['2026-11-21 02:44:14.123456789'::TIMESTAMP_NS]}",
    "a month": "INTERVAL '1 month 2 days 3.5 seconds'",
    "microseconds of an interval": "INTERVAL '1 month 3.000004 seconds'",
    "a negative interval": "INTERVAL '-1 month'",
    "infinite date": "'infinity'::DATE",
    "infinite timestamp": "'-infinity'::TIMESTAMP",
    "infinite timestamp with a zone": "'infinity'::TIMESTAMPTZ",
    "infinite date in a list": "['infinity'::DATE, NULL]",
    "the last date": "'9999-12-31'::DATE",
    "a time with a zone": "'10:00:00+05:30'::TIMETZ",
    "not a number": "'nan'::DOUBLE",
    "infinity": "'-infinity'::DOUBLE",
    "not a number in a list": "[1.5::DOUBLE, 'nan'::DOUBLE, NULL]",
    "not a number in a struct": "{'a': 'nan'::FLOAT, 'b': 'x'}",
    "the least double": "5e-324::DOUBLE",
    "minus zero": "-0.0::DOUBLE",
    "a float": "0.1::FLOAT",
    "the sum of integers": "(SELECT sum(i) FROM range(3) t(i))",
    "a number of 128 bits": "170141183460469231731687303715884105727::HUGEINT",
    "a number of 38 digits": "99999999999999999999999999999999999999::HUGEINT",
    "a union": "union_value(a := 1)",
    "a map of numbers": "MAP {1: 2, 3: NULL}",
    "an enum": "'a'::ENUM('a', 'DATE')",
    "text as of a list": "['a, b', '', NULL, 'NULL', '\"']",
    "bits": "'0101'::BIT",
    "bytes": "'\\x00\\xFF'::BLOB",
    "json": "'{\"a\": [1.10]}'::JSON",
}


DUCKDB = duckdb.connect()
DUCKDB.execute("SET TimeZone = 'UTC'")


def all_types():
    """Return a query for each type that this DuckDB knows, and one for each odd value that it takes."""
    columns = [row[0] for row in DUCKDB.execute("DESCRIBE FROM test_all_types()").fetchall()]
    queries = {name: f'SELECT "{name}" AS x FROM test_all_types()' for name in columns}
    for name, value in ODD_VALUES.items():
        try:
            DUCKDB.execute(f"SELECT {value}")
        except duckdb.Error:
            continue  # a type that an older DuckDB does not have
        queries[name] = f"SELECT {value} AS x"
    return queries


QUERIES = all_types()

every_type = pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)


def asked(query, *parameters):
    return [row[0] for row in DUCKDB.execute(query, parameters).fetchall()]


def texts(query):
    return asked(f"SELECT x::VARCHAR FROM ({query})")


def kind_of(query):
    return asked(f"SELECT typeof(x) FROM ({query}) LIMIT 1")[0]


def cast_back(values, kind):
    """Return what DuckDB says of ``values``, texts, once they are of the type again."""
    return [
        None if value is None else asked(f"SELECT CAST(CAST(? AS {kind}) AS VARCHAR)", value)[0]
        for value in values
    ]


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    return load_races(home=tmp_path_factory.mktemp("home")).connection


@every_type
def test_parquet_holds_a_type_as_it_is_or_refuses_it_by_name(query, connection, tmp_path):
    file = tmp_path / "rows.parquet"

    refused = ""
    try:
        write_parquet(run_statement(connection, query, exact=True), file)
    except InputError as error:
        refused = str(error)

    assert "Parquet" in refused or asked("SELECT x::VARCHAR FROM read_parquet(?)", str(file)) == texts(query)


def test_what_parquet_cannot_hold_leaves_no_file_and_says_what_to_do(tmp_path_factory, capfd):
    folder = tmp_path_factory.mktemp("out")

    assert run(["sql", "-o", str(folder / "rows.parquet"), "SELECT INTERVAL '1.000001 s' AS pause"]) == 2

    assert list(folder.iterdir()) == []
    assert (
        "'pause' is INTERVAL, which Parquet cannot hold as it is; cast it in the query: pause::VARCHAR"
        in capfd.readouterr().err
    )


def is_nested(kind):
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "TUPLE", "UNION"))


FLAT = {name: query for name, query in QUERIES.items() if not is_nested(kind_of(query))}
NESTED = {name: query for name, query in QUERIES.items() if name not in FLAT}

every_flat_type = pytest.mark.parametrize("name", FLAT)
every_nested_type = pytest.mark.parametrize("name", NESTED)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return what writes all types at once in a form, each as a column of its name, and gives the file's text."""
    folder = tmp_path_factory.mktemp("forms")
    lists = (
        f'list_resize((SELECT list(x) FROM ({query})), 3) AS "{name}"' for name, query in QUERIES.items()
    )
    every = f"SELECT unnest(COLUMNS(*)) FROM (SELECT {', '.join(lists)})"

    @cache
    def text(form):
        file = folder / f"rows.{form}"
        assert run(["sql", "--home", str(folder), "-o", str(file), every]) == 0
        return file.read_bytes().decode()

    return text


def as_it_was(value, kind):
    """Return a field of a text form as a text that DuckDB reads: bytes come as digits of 16."""
    if value is not None and kind == "BLOB":
        return "".join(f"\\x{value[at : at + 2]}" for at in range(0, len(value), 2))
    return value


def held(values, query):
    """Return what DuckDB says of values that were read back; of a geometry its bytes, for those are what is given."""
    kind, count = kind_of(query), len(texts(query))
    if kind == "GEOMETRY":
        return [None if value is None else value.lower() for value in values[:count]]
    return cast_back([as_it_was(value, kind) for value in values[:count]], kind)


def wanted(query):
    kind = kind_of(query)
    if kind == "GEOMETRY":
        return asked(f"SELECT lower(hex(ST_AsWKB(x))) FROM ({query})")
    return cast_back(texts(query), kind)


@every_flat_type
def test_csv_gives_a_flat_type_in_full(name, written):
    rows = csv.DictReader(written("csv").splitlines())

    assert held([row[name] or None for row in rows], QUERIES[name]) == wanted(QUERIES[name])


@every_flat_type
def test_json_gives_a_flat_type_in_full(name, written):
    rows = json.loads(written("json"), parse_float=Decimal)
    query = (
        f"SELECT CASE WHEN x::VARCHAR NOT IN ('nan', 'inf', '-inf') THEN x END AS x FROM ({QUERIES[name]})"
    )

    values = [row[name] for row in rows]
    spelled = [
        json.dumps(value) if isinstance(value, bool) else None if value is None else str(value)
        for value in values
    ]
    assert held(spelled, QUERIES[name]) == wanted(
        query if kind_of(QUERIES[name]) in ("DOUBLE", "FLOAT") else QUERIES[name]
    )


@every_nested_type
def test_json_gives_a_nested_type_as_duckdb_s_own_json_does(name, written):
    values = [row[name] for row in json.loads(written("json"))]
    is_union = kind_of(QUERIES[name]).startswith("UNION")  # of which the value alone is given
    told = "x::VARCHAR" if is_union else "to_json(x)::VARCHAR"
    own = asked(f"SELECT {told} FROM ({QUERIES[name]})")
    values = (
        [value if value is None else json.dumps(value).strip('"') for value in values] if is_union else values
    )
    own = own if is_union else [None if text is None else json.loads(text) for text in own]

    assert alike(values[: len(own)]) == alike(own)


def alike(value):
    """Return a value without what the two spell apart: the T of ISO 8601, its zone, what is no number; a union is its value."""
    if isinstance(value, dict):
        return {str(key): alike(item) for key, item in value.items()}
    if isinstance(value, list):
        return [alike(item) for item in value]
    if isinstance(value, str):
        return value.replace("T", " ").replace("+00:00", "+00")
    return value if value is None or isfinite(value) else None


def test_lines_are_the_same_objects_as_the_array(written):
    assert [json.loads(line) for line in written("jsonl").splitlines()] == json.loads(written("json"))


@pytest.mark.parametrize(
    "value", ["'nan'::DOUBLE", "'inf'::FLOAT", "[1.0, 'nan'::DOUBLE]", "{'a': '-inf'::DOUBLE}"]
)
def test_what_json_has_no_number_for_is_told(value, capfd):
    assert run(["sql", "-f", "json", f"SELECT {value} AS x, 1.5::DOUBLE AS y"]) == 0

    assert "1 value of x NaN or infinite, which JSON has no number for" in capfd.readouterr().err


def test_a_number_that_csv_holds_is_not_told(capfd):
    assert run(["sql", "-f", "csv", "SELECT 'nan'::DOUBLE AS x"]) == 0

    out, err = capfd.readouterr()
    assert (out.split(), "NaN" in err) == (["x", "nan"], False)


def test_a_query_with_a_comment_at_its_end_and_parameters_keeps_its_order_and_nanoseconds(capfd):
    query = "SELECT make_timestamp_ns(i) AS x FROM range($n) t(i) ORDER BY i DESC; -- the last first"

    assert run(["sql", "-f", "csv", "-p", "n=2", query]) == 0

    assert capfd.readouterr().out.split() == ["x", "1970-01-01T00:00:00.000000001", "1970-01-01T00:00:00"]
