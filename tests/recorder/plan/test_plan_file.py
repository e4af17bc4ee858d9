"""race.yaml: what it may say, and one line for everything it may not."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from racelog.errors import PlanError
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.plan.file import load_plan, parse_plan
from racelog_recorder.plan.model import RacePlan
from racelog_recorder.plan.prompts import builtin_prompts
from racelog_recorder.plan.public import public_plan
from racelog_recorder.plan.schema import race_schema, schema_text

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples" / "races").glob("*.yaml"))

ONE = "engines:\n- name: a\n  url: http://h/v1\n"


def read(text, folder=Path()):
    return parse_plan(text, "race.yaml", folder)


def complaint(text):
    with pytest.raises(PlanError) as caught:
        read(text)
    return str(caught.value)


def test_the_smallest_plan_gets_the_defaults():
    plan = read(ONE)

    assert (plan.grid, plan.requests, plan.duration_s, plan.concurrency) == ("together", 40, None, 4)
    assert plan.params == {"max_tokens": 128, "temperature": 0.0}
    assert (plan.prompts, plan.prompts_from) == (builtin_prompts(), "builtin")


def test_fields_may_stand_under_race():
    assert read("race:\n  name: x\n  engines: [{name: a, url: http://h}]").name == "x"


def test_a_duration_alone_leaves_the_number_of_requests_open():
    assert (read(ONE + "duration: 1m30s").duration_s, read(ONE + "duration: 2m").requests) == (90.0, None)


def test_a_colour_name_becomes_its_hex_value():
    assert read(ONE + "  color: Purple").engines[0].color == "#800080"


def test_a_trailing_slash_makes_no_difference():
    assert read("engines: [{name: a, url: http://h/v1/}]").engines[0].url == "http://h/v1"


def test_an_anchor_can_be_merged_and_own_fields_win():
    text = "engines:\n- &a {name: a, url: http://h, model: m, params: {top_p: 1}}\n- {<<: *a, name: b}"

    first, second = read(text).engines

    assert (second.name, second.model, second.params) == ("b", first.model, {"top_p": 1})


def test_prompts_may_be_texts_messages_and_mappings_in_one_list():
    text = (
        ONE
        + "prompts:\n- one\n- prompt: two\n- [{role: system, content: three}]\n- messages: [{role: user, content: four}]"
    )

    assert [prompt[0]["content"] for prompt in read(text).prompts] == ["one", "two", "three", "four"]


def test_a_file_of_prompts_is_looked_for_beside_the_plan(tmp_path):
    (tmp_path / "mine.txt").write_text("hello\n")
    (tmp_path / "race.yaml").write_text(ONE + "prompts: mine.txt")

    plan = load_plan(tmp_path / "race.yaml")

    assert (plan.prompts, plan.prompts_from) == (([{"role": "user", "content": "hello"}],), "mine.txt")


def plan_or_complaint(text):
    try:
        return read(text)
    except PlanError as error:
        return str(error)


BAD = {
    "": "race.yaml:1: the file is empty; it needs at least one engine",
    "- a": "race.yaml:1: the plan is a mapping of fields, such as 'engines'",
    "race: 3": "race.yaml:1: race: 'race' is a mapping of fields, such as 'engines'",
    "name: x": "race.yaml:1: engines: is missing; list at least one engine with name and url",
    "a: [": "race.yaml:1: not valid YAML: expected the node content, but found '<stream end>'",
    "a: \x01": "race.yaml:1: the character U+0001 is not allowed in YAML",
    "[" * 5000: "race.yaml:1: nested deeper than 32 levels",
    "a: &a [*a]": "race.yaml:1: nested deeper than 32 levels",
    "a: !!python/object:os.system x": "race.yaml:1: the YAML tag '!!python/object:os.system' is not allowed; write plain text",
    "on: x": "race.yaml:1: a field's name must be text, not true; put it in quotes",
    "engines: 3": "race.yaml:1: engines: 3 is not a list of engines; start each with '- name:'",
    "engines: []": "race.yaml:1: engines: 0 engines; a race has 1 to 10",
    "engines: [3]": "race.yaml:1: engines[0]: 3 is not a mapping with name and url",
    "engines:\n- name: a": "race.yaml:2: engines[0].url: is missing; every engine needs name and url",
    ONE + "- name: a\n  url: http://i": "race.yaml:4: engines[1].name: 'a' is taken; every engine needs its own name",
    ONE + "  url: http://i": "race.yaml:4: 'url' is given twice, first on line 3",
    ONE + "  colour: red": "race.yaml:4: engines[0].colour: unknown field; did you mean 'color'?",
    ONE + "  modle: m": "race.yaml:4: engines[0].modle: unknown field; did you mean 'model'?",
    ONE + "endpoints: []": "race.yaml:4: endpoints: unknown field; did you mean 'engines'?",
    ONE + "  color: blurple": "race.yaml:4: engines[0].color: 'blurple' is not a colour; give '#rrggbb' or a CSS name such as 'teal'",
    ONE + "  emoji: 🚀🚀": "race.yaml:4: engines[0].emoji: '🚀🚀' is wider than one emoji; give one, such as '🚀'",
    ONE + "  headers: {A: 1}": "race.yaml:4: engines[0].headers.A: a header's value must be text; put it in quotes",
    ONE + "  headers: {Content-Length: '3'}": "race.yaml:4: engines[0].headers.Content-Length: says how long the body is, which racelog knows for each request; leave it out",
    ONE + "grid: timetrial": "race.yaml:4: grid: 'timetrial' is not a grid; give 'together' or 'time-trial'",
    ONE + "requests: 0": "race.yaml:4: requests: 0 is out of range; give 1 to 10,000,000",
    ONE + "requests: 12:30:00": "race.yaml:4: '12:30:00' would be a number to the base 60 in YAML; write a span of time as '1h30m', and text in quotes",
    ONE + "duration: 1:30.5": "race.yaml:4: '1:30.5' would be a number to the base 60 in YAML; write a span of time as '1h30m', and text in quotes",
    "engines: [{name: a, url: 'http://h:80a/v1'}]": "race.yaml:1: engines[0].url: 'http://h:80a/v1': the port is not a number from 1 to 65535",
    ONE + "requests: 4.5": "race.yaml:4: requests: 4.5 is not a whole number; give 1 to 10,000,000",
    ONE + "concurrency: yes": "race.yaml:4: concurrency: true is not a whole number; give 1 to 10,000",
    ONE + "shuffle: maybe": "race.yaml:4: shuffle: 'maybe' is neither true nor false",
    ONE + "duration: soon": "race.yaml:4: duration: 'soon' is not a span of time; give seconds or text such as '30s' or '2m', above 0 up to 168h",
    ONE + "duration: 0s": "race.yaml:4: duration: '0s' is out of range; give seconds or text such as '30s' or '2m', above 0 up to 168h",
    ONE + "countdown: .nan": "race.yaml:4: countdown: nan is out of range; give seconds or text such as '30s' or '2m', from 0 up to 1h",
    ONE + "name: 12": "race.yaml:4: name: 12 is not text; put it in quotes",
    ONE + 'name: "a\\e[2J"': "race.yaml:4: name: 'a␛[2J' holds a control character; write one line of visible text",
    ONE + "params: {stream: false}": "race.yaml:4: params.stream: is not a parameter of a race: racelog always streams: without a stream there are no tokens to time",
    ONE + "params: {top_p: .inf}": "race.yaml:4: params.top_p: inf cannot be written as JSON; give a finite number",
    ONE + "prompts: 3": "race.yaml:4: prompts: 3 is neither a file's name nor a list",
    ONE + "prompts:\n- one\n- ''": "race.yaml:6: prompts[1]: a prompt must not be empty",
    ONE + "prompts:\n- [{role: me, content: x}]": "race.yaml:5: prompts[0]: role: 'me' is not one of system, developer, user, assistant, tool",
    ONE + "prompts: none.txt": "race.yaml:4: prompts: cannot read 'none.txt': No such file or directory",
    "engines: [{name: a, url: ftp://h}]": "race.yaml:1: engines[0].url: 'ftp://h' is not an http:// or https:// URL such as 'http://localhost:8000/v1'",
    "engines: [{name: a, url: 'http://h:99999'}]": "race.yaml:1: engines[0].url: 'http://h:99999': the port is not a number from 1 to 65535",
    "engines: [{name: a, url: http://h/v1/chat/completions}]": "race.yaml:1: engines[0].url: 'http://h/v1/chat/completions' ends in /chat/completions; cut that off, the base URL is what is wanted",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD.items(), ids=range(len(BAD)))
def test_a_mistake_is_one_line_with_place_value_and_remedy(text, expected):
    assert complaint(text) == expected


SECRET = "sk-proj-AbCdEf0123456789"
SECRETIVE = [
    ONE + f"  api_key: {SECRET}",
    ONE + f"  api_key_env: {SECRET}",
    ONE + f"  token: {SECRET}",
    ONE + f"  headers: {{Authorization: 'Bearer {SECRET}\u00e9'}}",
    ONE + f"  color: {SECRET}",
    ONE + f"api_key: {SECRET}",
    ONE + f"grid: {SECRET}",
    ONE + f"  {SECRET}: x",
    f"engines: [{{name: a, url: 'http://u:{SECRET}@h/v1'}}]",
    f"engines: [{{name: a, url: 'u:{SECRET}@h/v1'}}]",
    f"engines: [{{name: a, url: 'http://h/v1/chat/completions?key={SECRET}'}}]",
    f"engines: [{{name: a, url: {SECRET}}}]",
]


@pytest.mark.parametrize("text", SECRETIVE, ids=range(len(SECRETIVE)))
def test_a_refused_secret_is_never_repeated(text):
    assert SECRET[8:] not in complaint(text)


def test_a_key_in_a_plan_is_refused_with_the_way_to_do_it():
    assert complaint(ONE + f"  api_key: {SECRET}") == (
        "race.yaml:4: engines[0].api_key: a key must not stand in a plan; put it into an environment variable and"
        " write the variable's NAME as api_key_env"
    )


def test_the_public_plan_keeps_names_and_drops_secrets():
    plan = read(
        f"engines: [{{name: a, url: 'http://h/v1?key={SECRET}', api_key_env: A_KEY, headers: {{X-Api-Key: {SECRET},"
        f" X-Team: red, X-Note: {SECRET}}}, params: {{password: hunter2, max_tokens: 5}}}}]\nprompts: [hello]"
    )

    public = public_plan(plan)

    assert SECRET[8:] not in json.dumps(public)
    assert public["engines"][0] == {
        "name": "a", "url": "http://h/v1?key=<removed>", "model": "", "emoji": "", "color": "", "api_key_env": "A_KEY",
        "dialect": "openai-chat", "deadlines": msgspec.to_builtins(Deadlines()),
        "pin": [], "headers": {"X-Api-Key": "<removed>", "X-Team": "<removed>", "X-Note": "<removed>"},
        "params": {"password": "<removed>", "max_tokens": 5},
        "tls": None, "unix_socket": "", "proxy": "", "http2": False,
    }  # fmt: skip


def test_ten_lines_of_aliases_cannot_become_a_billion_values():
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
    )

    assert "more than 500,000 values, aliases unfolded" in complaint(bomb)


def test_a_file_larger_than_a_plan_can_be_is_not_read(tmp_path):
    path = tmp_path / "race.yaml"
    path.write_bytes(b"#" * (1 << 20) + b"\n")

    with pytest.raises(PlanError, match="is larger than 1 MiB"):
        load_plan(path)


@pytest.mark.parametrize("content", [b"name: \xff", b"name: caf\xe9"])
def test_a_file_that_is_not_utf8_says_so(tmp_path, content):
    path = tmp_path / "race.yaml"
    path.write_bytes(b"# one\n" + content)

    with pytest.raises(PlanError, match=r"race\.yaml:2: not UTF-8 text"):
        load_plan(path)


@settings(deadline=None, max_examples=300)
@given(st.text() | st.text(alphabet="engilsrcu:-&*<!|>{}[]'\"#0 \n\t\x00", max_size=60))
def test_any_text_is_a_plan_or_a_plan_error(text):
    plan = plan_or_complaint(text)

    assert isinstance(plan, RacePlan) or "\n" not in plan


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (*race_schema()["$defs"]["race"]["properties"], *race_schema()["$defs"]["engine"]["properties"])


@settings(deadline=None, max_examples=300)
@given(field=st.sampled_from(FIELDS), value=VALUES, nested=st.booleans())
def test_any_value_in_any_field_is_a_plan_or_a_plan_error(field, value, nested):
    engine = {"name": "a", "url": "http://h", **({field: value} if nested else {})}
    document = {"engines": [engine], **({} if nested else {field: value})}
    plan = plan_or_complaint(yaml.safe_dump(document))

    assert json.dumps(public_plan(plan)) if isinstance(plan, RacePlan) else "\n" not in plan


def test_the_published_schema_is_the_one_the_code_gives():
    assert (ROOT / "schemas" / "race.schema.json").read_text() == schema_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_load_and_fit_the_schema(path):
    jsonschema.Draft202012Validator(race_schema()).validate(yaml.safe_load(path.read_text()))

    assert len(load_plan(path).engines) == 2


@pytest.mark.parametrize(
    "line",
    ["requests: 0", "grid: x", "duration: soon", "colour: red", "params: {stream: true}", "prompts: []"],
)
def test_the_schema_refuses_what_the_code_refuses(line):
    document = yaml.safe_load(ONE + line)

    assert not jsonschema.Draft202012Validator(race_schema()).is_valid(document)
    assert complaint(ONE + line).startswith("race.yaml:4:")
