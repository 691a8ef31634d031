"""Each kind of design expands to the cells that define it."""

from collections import Counter
from itertools import pairwise
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.design.design import Design, Step, key_of, merged_overrides, parse_design
from clip_hparam.design.expand import expand_design

names = st.sampled_from(["lr", "layer_decay", "epochs", "mixup", "data.shots"])
levels = st.lists(st.integers(0, 9).map(str), min_size=1, max_size=3, unique=True)
knobs = st.dictionaries(names, levels, min_size=1, max_size=4)
steps = st.lists(names, min_size=1, max_size=4, unique=True).map(
    lambda keys: tuple(Step(key, (f"{key}=1",)) for key in keys)
)


@given(knobs)
def test_grid_is_the_product_of_its_levels(knobs: dict[str, list[str]]) -> None:
    cells = expand_design(Design("d", "grid", knobs=knobs))
    assert len({cell.overrides for cell in cells}) == prod(len(level) for level in knobs.values())
    for knob, knob_levels in knobs.items():
        counts = Counter(f"{knob}={level}" for level in knob_levels)
        seen = Counter(o for cell in cells for o in cell.overrides if key_of(o) == knob)
        assert seen.keys() == counts.keys()
        assert len(set(seen.values())) == 1


@given(knobs)
def test_one_at_a_time_changes_one_knob_of_the_baseline(knobs: dict[str, list[str]]) -> None:
    baseline, *others = expand_design(Design("d", "one_at_a_time", knobs=knobs))
    assert baseline.overrides == tuple(f"{knob}={level[0]}" for knob, level in knobs.items())
    assert len(others) == sum(len(level) - 1 for level in knobs.values())
    for cell in others:
        assert len(set(cell.overrides) ^ set(baseline.overrides)) == 2


@given(steps)
def test_rung_contains_the_overrides_of_all_rungs_below(steps: tuple[Step, ...]) -> None:
    cells = expand_design(Design("d", "ladder", steps=steps))
    assert [cell.label for cell in cells] == [step.label for step in steps]
    for below, above in pairwise(cells):
        assert set(below.overrides) < set(above.overrides)


@given(steps)
def test_leave_one_out_omits_exactly_one_step(steps: tuple[Step, ...]) -> None:
    full, *others = expand_design(Design("d", "leave_one_out", steps=steps))
    assert set(full.overrides) == {o for step in steps for o in step.overrides}
    for cell, step in zip(others, steps, strict=True):
        assert set(full.overrides) - set(cell.overrides) == set(step.overrides)


@given(steps)
def test_factorial_is_balanced(steps: tuple[Step, ...]) -> None:
    cells = expand_design(Design("d", "factorial", steps=steps))
    assert len({cell.overrides for cell in cells}) == 2 ** len(steps)
    for step in steps:
        assert sum(step.overrides[0] in cell.overrides for cell in cells) == len(cells) // 2


def test_zip_pairs_levels_and_rejects_unequal_lengths() -> None:
    cells = expand_design(Design("d", "zip", knobs={"lr": ["1", "2"], "epochs": ["3", "4"]}))
    assert [cell.overrides for cell in cells] == [("lr=1", "epochs=3"), ("lr=2", "epochs=4")]
    with pytest.raises(ValueError, match="lr has 1, epochs has 2"):
        expand_design(Design("d", "zip", knobs={"lr": ["1"], "epochs": ["3", "4"]}))


def test_later_override_replaces_an_earlier_one() -> None:
    assert merged_overrides(["lr=1", "epochs=2"], ["lr=3"], ["+x=1"]) == (
        "lr=3",
        "epochs=2",
        "+x=1",
    )


def test_base_is_in_every_cell_and_levels_replace_it() -> None:
    cells = expand_design(Design("d", "grid", base=("lr=9", "mixup=0"), knobs={"lr": ["1", "2"]}))
    assert [cell.overrides for cell in cells] == [("lr=1", "mixup=0"), ("lr=2", "mixup=0")]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"name": "d", "kind": "grdi", "knobs": {"lr": [1]}}, "did you mean grid"),
        ({"name": "d", "kind": "grid"}, "of kind grid needs knobs"),
        ({"name": "d", "kind": "ladder", "knobs": {"lr": [1]}}, "of kind ladder needs steps"),
        ({"name": "d", "kind": "grid", "knob": {"lr": [1]}}, "did you mean knobs"),
        ({"kind": "grid", "knobs": {"lr": [1]}}, "needs a name"),
        ({"name": "d", "kind": "grid", "knobs": {"lr": "interval(1, 2)"}}, "needs levels"),
        ({"name": "d", "kind": "random", "knobs": {"lr": "interval(1, 2)"}}, "add `samples: 32`"),
        ({"name": "d", "kind": "grid", "seeds": 2, "knobs": {"seed": [0, 1]}}, "leave one"),
        ({"name": "d", "kind": "grid", "seeds": 2, "base": ["seed=1"]}, "leave one"),
        (
            {
                "name": "d",
                "kind": "list",
                "seeds": [1],
                "steps": [{"label": "a", "overrides": ["seed=3"]}],
            },
            "leave one",
        ),
        ({"name": "d", "kind": "sobol", "samples": 2.5, "knobs": {"lr": [1]}}, "samples=2.5"),
    ],
)
def test_invalid_design_is_rejected(tree: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expand_design(parse_design(tree))
