"""Malformed designs are refused before anything trains, with one sentence for each mistake."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.design.design import parse_design
from clip_hparam.design.expand import expand_design

GRID = {"name": "mine", "kind": "grid", "knobs": {"lr": ["1e-3", "3e-3"]}}
LIST = {"name": "mine", "kind": "list", "steps": [{"label": "a", "overrides": ["lr=1e-3"]}]}


def step(label: Any, *overrides: Any) -> dict[str, Any]:
    return {"label": label, "overrides": list(overrides)}


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({**GRID, "name": "lr sweep"}, r"name 'lr sweep' cannot name a file: use letters, digits"),
        ({**GRID, "name": "a/b"}, "name 'a/b' cannot name a file"),
        ({**GRID, "name": "x" * 101}, "the name has 101 characters: use at most 100"),
        ({**GRID, "base": "recipe=llrd"}, r"base is 'recipe=llrd': write a list of overrides"),
        ({**GRID, "base": [{"recipe": "llrd"}]}, "base is .*: write a list of overrides"),
        ({**GRID, "knobs": ["lr"]}, r"knobs is \['lr'\]: write a mapping"),
        ({**GRID, "knobs": {"lr": []}}, r"knob lr has no level: write lr: \[first, second\]"),
        ({**GRID, "knobs": {"lr": [["1e-3"]]}}, "knob lr has a nested level"),
        ({**GRID, "knobs": {"lr": {"low": 1}}}, "knob lr has a nested level"),
        ({**LIST, "steps": {"a": ["lr=1e-3"]}}, "steps is .*: write a list"),
        ({**LIST, "steps": ["lr=1e-3"]}, "step 1 is 'lr=1e-3': write a mapping"),
        ({**LIST, "steps": [{"overrides": ["lr=1e-3"]}]}, "step 1 .* has no label"),
        ({**LIST, "steps": [step("  ", "lr=1e-3")]}, "has no label"),
        ({**LIST, "steps": [{"label": "a"}]}, r"step 1 \(a\): overrides is None: write a list"),
        ({**LIST, "steps": [{"label": "a", "overrides": "lr=1"}]}, "overrides is 'lr=1'"),
        ({**LIST, "steps": [{**step("a", "lr=1"), "overides": []}]}, "did you mean overrides?"),
        ({**LIST, "steps": [step("a", "lr=1"), step("a", "lr=2")]}, "2 steps are called 'a'"),
        ({**LIST, "steps": [step(1, "lr=1"), step("1", "lr=2")]}, "2 steps are called '1'"),
    ],
)
def test_malformed_design_is_refused(tree: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_design(tree)


def test_every_mistake_is_listed_on_a_line_of_its_own() -> None:
    tree = {**LIST, "name": "a b", "base": "lr=1", "steps": ["lr=1e-3", {"label": "x"}]}
    with pytest.raises(ValueError, match="cannot name a file") as error:
        parse_design(tree)
    assert len(str(error.value).splitlines()) == 4


def test_labels_that_become_equal_by_combination_are_refused() -> None:
    steps = [step("a", "lr=1e-3"), step("b", "mixup=0.5"), step("a+b", "cutmix=1")]
    design = parse_design({"name": "mine", "kind": "factorial", "steps": steps})
    with pytest.raises(ValueError, match=r"two different cells are called 'a\+b'"):
        expand_design(design)


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=6))
def test_a_list_is_refused_exactly_if_a_label_repeats(labels: list[str]) -> None:
    steps = [step(label, f"seed_={n}") for n, label in enumerate(labels)]
    tree = {**LIST, "steps": steps}
    if len(set(labels)) == len(labels):
        assert [cell.label for cell in expand_design(parse_design(tree))] == labels
    else:
        with pytest.raises(ValueError, match="steps are called"):
            parse_design(tree)
