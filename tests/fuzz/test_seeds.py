"""Every fuzzer's invariant on every seed, so that a fuzzer never rots between two hunts."""

from importlib import import_module

import pytest

from tests.fuzz.harness import seeds

TARGETS = ("scanner", "trailer", "event", "upcast")


@pytest.mark.parametrize("target", TARGETS)
def test_the_invariant_holds_on_every_seed(target: str) -> None:
    check = import_module(f"tests.fuzz.fuzz_{target}").check
    checked = [check(seed) for seed in seeds(target)]

    assert len(checked) > 10
