"""Prompts: those that come along, those from files, and the order in which they are sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.errors import PlanError
from racelog_recorder.plan.prompts import builtin_prompts, load_prompts, schedule


def lengths():
    return sorted(sum(len(message["content"]) for message in prompt) for prompt in builtin_prompts())


def test_the_builtin_prompts_are_many_and_all_different():
    prompts = builtin_prompts()

    assert len({repr(prompt) for prompt in prompts}) == len(prompts) >= 200


def test_the_builtin_prompts_are_short_and_long():
    shortest, *_, longest = lengths()

    assert shortest < 50
    assert longest > 1000


def test_no_template_was_left_unfilled():
    texts = [message["content"] for prompt in builtin_prompts() for message in prompt]

    assert [text for text in texts if "{}" in text or "{0" in text] == []


@given(count=st.integers(1, 40), seed=st.integers(0, 2**63 - 1), rounds=st.integers(1, 4))
def test_a_schedule_repeats_no_prompt_until_all_were_sent(count, seed, rounds):
    order = schedule(range(count), seed, count * rounds)

    assert [sorted(order[i : i + count]) for i in range(0, len(order), count)] == [
        list(range(count))
    ] * rounds


def test_a_schedule_is_the_same_everywhere_and_always():
    assert schedule(range(5), 7, 12) == [3, 1, 0, 4, 2, 3, 1, 0, 4, 2, 0, 1]


def test_a_longer_schedule_begins_with_the_shorter_one():
    assert schedule(range(9), 1, 100)[:30] == schedule(range(9), 1, 30)


def test_a_schedule_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one prompt"):
        schedule([], 0, 1)


def test_a_text_file_has_a_prompt_a_line(tmp_path):
    path = tmp_path / "p.txt"
    path.write_text("\ufeffone\u2028still one\n\n# a comment\r\n  two  \n", encoding="utf-8")

    assert [prompt[0]["content"] for prompt in load_prompts(path)] == ["one\u2028still one", "two"]


def test_a_jsonl_file_has_prompts_and_messages(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "one"}\n\n{"messages": [{"role": "system", "content": "two"}]}\n')

    assert load_prompts(path) == (
        [{"role": "user", "content": "one"}],
        [{"role": "system", "content": "two"}],
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not a JSON object: Input data was truncated"),
        ("[1]", 'a list is not a JSON object; write {"prompt": "..."} or {"messages": [...]}'),
        ('{"text": "x"}', "a prompt is text, a list of messages, or has one field, 'prompt' or 'messages'"),
        ('{"prompt": 3}', "3 is not text; put it in quotes"),
        ('{"prompt": ["x"]}', "a list is not text; give a single one"),
        ('{"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}', "the content is a list of parts; racelog sends text alone: give their text as one"),
        ('{"messages": []}', "a prompt has 1 to 1,000 messages, not 0"),
        ('{"messages": [{"role": "user"}]}', "a message has the fields 'role' and 'content' (and may have 'name'), and no others"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_by_file_and_number(tmp_path, line, why):
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "fine"}\n' + line)

    with pytest.raises(PlanError) as caught:
        load_prompts(path)

    assert str(caught.value) == f"{path}:2: {why}"


def test_a_file_without_prompts_is_refused(tmp_path):
    path = tmp_path / "p.txt"
    path.write_text("# only this\n")

    with pytest.raises(PlanError, match="holds no prompt; write one a line"):
        load_prompts(path)


@pytest.mark.parametrize("name", ["p.csv", "missing.txt", "nul\0.txt", "folder.txt"])
def test_what_cannot_be_read_is_a_plan_error(tmp_path, name):
    (tmp_path / "folder.txt").mkdir()

    with pytest.raises(PlanError):
        load_prompts(str(tmp_path / name))


def test_without_a_shuffle_prompts_go_as_they_are_listed_and_from_the_first_again() -> None:
    assert schedule(["a", "b", "c"], 7, 5, shuffle=False) == [0, 1, 2, 0, 1]


@pytest.mark.parametrize("name", ["p.JSONL", "p.Jsonl"])
def test_a_suffix_in_capitals_a_mark_of_byte_order_and_blank_lines_do_not_matter(tmp_path, name):
    (tmp_path / name).write_bytes(b'\xef\xbb\xbf\r\n{"prompt": "hi"}\r\n\r\n{"prompt": "ho"}')

    assert [prompt[0]["content"] for prompt in load_prompts(tmp_path / name)] == ["hi", "ho"]
