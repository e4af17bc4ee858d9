"""Which prompts a race sends, and in which order. Pure: the same on every machine and in every Python."""

import random
from collections.abc import Sized
from itertools import product

from racelog_recorder.plan import prompt_words as words
from racelog_recorder.plan.model import Messages
from racelog_recorder.plan.prompt_files import load_prompts

__all__ = ["BUILTIN", "builtin_prompts", "load_prompts", "schedule"]

BUILTIN = "builtin"
"""What a plan says to mean `builtin_prompts`."""


def builtin_prompts() -> tuple[Messages, ...]:
    """Return the 200 and some prompts that come with racelog: questions, code, passages, stories, sums, chats.

    From one line to a few paragraphs, all different, always the same ones in the same order: two races with the
    same seed send the same traffic, years apart.
    """
    texts = [
        *_explanations(),
        *_code(),
        *(
            f"What is the difference between {a} and {b}? When would you choose which?"
            for a, b in words.PAIRS
        ),
        *(task.format(passage) for passage, task in product(words.PASSAGES, words.PASSAGE_TASKS)),
        *_comparisons(),
        *_stories(),
        *words.ADVICE,
        *_sums(),
        *(f"Translate into {to}: {text}" for text, to in product(words.SENTENCES, words.TARGETS)),
    ]
    return (*([{"role": "user", "content": text}] for text in texts), *_chats())


def schedule(prompts: Sized, seed: int, count: int, *, shuffle: bool = True) -> list[int]:
    """Return the numbers of the ``count`` prompts that every lane sends, in order.

    A shuffle by ``seed`` without repeats until all were used, then another; without ``shuffle``, one after another
    and from the first again. A longer schedule begins with the shorter one. Cost: O(count).

    Raises:
        ValueError: there are no prompts to choose from.
    """
    if not prompts:
        raise ValueError("a schedule needs at least one prompt")
    if not shuffle:
        return [number % len(prompts) for number in range(count)]
    rng = random.Random(seed)  # noqa: S311 - reproducible by intent
    order: list[int] = []
    while len(order) < count:
        # Sorting by random() rather than shuffle(): the generator's floats are promised never to change between
        # Python versions, the shuffle built on it is not.
        order += sorted(range(len(prompts)), key=lambda _: rng.random())
    return order[:count]


def _explanations() -> list[str]:
    forms = words.AUDIENCES
    return [forms[i % len(forms)].format(topic) for i, topic in enumerate(words.TOPICS)]


def _code() -> list[str]:
    names = words.LANGUAGES
    return [
        f"Write a function that {task}. Language: {names[i % len(names)]}. Show two examples of calling it."
        for i, task in enumerate(words.CODE_TASKS)
    ]


def _comparisons() -> list[str]:
    """Return the long ones: two passages each, and one question about both."""
    neighbours = zip(words.PASSAGES, (*words.PASSAGES[3:], *words.PASSAGES[:3]), strict=True)
    return [
        f"Here are two texts.\n\nText A:\n{a}\n\nText B:\n{b}\n\nWhat do the two have in common, and which of them "
        "relies more on numbers? Answer in one short paragraph."
        for a, b in neighbours
    ]


def _stories() -> list[str]:
    forms = words.STORY_FORMS
    return [
        forms[i % len(forms)].format(hero, place)
        for i, (hero, place) in enumerate(product(words.HEROES, words.PLACES))
    ]


def _sums() -> list[str]:
    """Return sums in words, with numbers that come out whole."""
    return [
        text
        for n in range(2, 8)
        for text in (
            (
                f"A baker sells {12 * n} rolls before noon and {7 * n} after. Each costs {n} coins. How many coins did"
                " the rolls bring in? Show the steps."
            ),
            (
                f"A train covers {60 * n} kilometres in {n} hours, then waits half an hour and covers {45 * n} more in"
                f" {n} hours. What is its average speed over the whole journey?"
            ),
            (
                f"{n} friends share {n * (n + 3)} marbles equally, and then each gives one away. How many does each have"
                " left, and how many were given away in all?"
            ),
        )
    ]


def _chats() -> list[Messages]:
    return [
        [
            {"role": "system", "content": system},
            {"role": "user", "content": first},
            {"role": "assistant", "content": answer},
            {"role": "user", "content": second},
        ]
        for system, first, answer, second in words.CHATS
    ]
