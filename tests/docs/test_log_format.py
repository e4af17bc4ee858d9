"""The specification of the log is complete: every kind, field and constant stands in it as it is in the code."""

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from msgspec import NODEFAULT, Struct

from racelog import schema
from racelog.events import KIND_CODES, STAMP_CODES, AnyEvent, StoredEvent
from racelog.log.format import codec, units
from racelog.log.format.codec import encode_events
from tests.core.strategies import known_events

KINDS: tuple[type[Struct], ...] = StoredEvent.__args__
SCHEMAS = Path(__file__).parents[2] / "schemas"
SPEC = (SCHEMAS / "log-format.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \|[^|]+\|[^|]*\| ([^|]+) \|[^|]+\|$", re.MULTILINE)


def section(kind: type[Struct]) -> str:
    """Return the text under a kind's heading."""
    parts = SPEC.split(f"\n### `{kind.__struct_config__.tag}`\n")
    assert len(parts) == 2, f"no heading for {kind.__struct_config__.tag}"
    return re.split(r"\n##+ ", parts[1])[0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__struct_config__.tag))
def test_every_field_of_a_kind_has_its_row_in_order(kind: type[Struct]) -> None:
    fields = [field.name for field in msgspec.structs.fields(kind) if field.name not in ("t", "v")]

    assert fields == [name for name, _ in ROW.findall(section(kind))]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__struct_config__.tag))
def test_a_field_is_called_required_exactly_when_it_is(kind: type[Struct]) -> None:
    required = {field.name for field in msgspec.structs.fields(kind) if field.required} - {"t"}

    assert required == {name for name, default in ROW.findall(section(kind)) if default == "required"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__struct_config__.tag))
def test_a_default_stands_as_it_is(kind: type[Struct]) -> None:
    told = dict(ROW.findall(section(kind)))
    for field in msgspec.structs.fields(kind):
        if field.name in ("t", "v") or field.required or told[field.name][0] not in '`0123456789n"':
            continue
        if told[field.name] == "none":
            continue
        default = field.default_factory() if field.default is NODEFAULT else field.default
        assert json.loads(told[field.name].strip("`")) == default, field.name


def test_no_kind_is_specified_that_does_not_exist() -> None:
    known = {str(kind.__struct_config__.tag) for kind in KINDS}

    assert known == set(re.findall(r"^### `([\w.]+)`$", SPEC, re.MULTILINE))


def test_the_trailer_s_table_is_its_layout() -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) \| \w+ \| `(\w+)` \|", SPEC, re.MULTILINE)
    sizes = [int(size) for _, size, _ in rows]

    assert [sum(sizes[:i]) for i in range(len(sizes))] == [int(offset) for offset, _, _ in rows]
    assert sum(sizes) == units.TRAILER_BYTES == 12 + units._BODY.size + 4


def test_the_bytes_to_search_for_are_the_trailer_s_first() -> None:
    assert units.TRAILER_PREFIX.hex(" ").upper() in SPEC


def test_the_limits_are_the_code_s() -> None:
    assert (units.MAX_PAYLOAD_BYTES, units.MAX_WINDOW_BYTES) == (64 << 20, 8 << 20)
    assert f"{codec.MAX_EVENTS_PER_UNIT:,}" in SPEC
    assert f"{units.MAX_FRAME_BYTES:,}" in SPEC


def test_every_letter_of_a_column_is_explained() -> None:
    tok = SPEC.split("\n### `tok`\n")[1].split("\n### ")[0]

    assert [letter for letter in KIND_CODES if f"`{letter}` " not in tok] == []
    assert [letter for letter in STAMP_CODES if letter.islower() and f"`{letter}` " not in tok] == []


def test_the_shipped_schema_is_the_types_own() -> None:
    shipped = json.loads((SCHEMAS / "events.v1.schema.json").read_text(encoding="utf-8"))

    assert shipped == schema.events_schema(), "run: python -m racelog.schema > schemas/events.v1.schema.json"


def test_printing_the_schema_gives_the_shipped_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    schema.main()

    assert (SCHEMAS / "events.v1.schema.json").read_text(encoding="utf-8") == capsys.readouterr().out


VALIDATOR = jsonschema.Draft202012Validator(schema.events_schema())


@given(known_events)
def test_every_event_written_is_valid_by_the_schema(event: AnyEvent) -> None:
    VALIDATOR.validate(json.loads(encode_events([event])))


def test_a_wrong_event_is_not_valid_by_the_schema() -> None:
    assert not VALIDATOR.is_valid({"k": "mark", "t": 1})
