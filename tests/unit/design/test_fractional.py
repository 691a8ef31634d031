"""Fractional factorials: aliases and resolution."""

from itertools import combinations

import numpy as np
import pytest

from clip_hparam.design.design import Design, Step, parse_design
from clip_hparam.design.expand import design_notes, expand_design


def steps(number: int) -> tuple[Step, ...]:
    return tuple(Step(f"part {n}", (f"x{n}=1",)) for n in range(number))


def fraction(number: int, resolution: int) -> Design:
    return Design("d", "fractional", steps=steps(number), resolution=resolution)


def signs(design: Design) -> np.ndarray:
    """Return +1 for a step that is on, -1 for off, from the overrides; shape (cells, steps)."""
    return np.array(
        [
            [1 if step.overrides[0] in cell.overrides else -1 for step in design.steps]
            for cell in expand_design(design)
        ]
    )


@pytest.mark.parametrize("resolution", [3, 4, 5, 6])
@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 7, 8])
def test_fraction_does_not_alias_low_order_effects(number: int, resolution: int) -> None:
    """At resolution R an effect of p factors is aliased with none of fewer than R - p factors."""
    matrix = signs(fraction(number, resolution))
    assert len(np.unique(matrix, axis=0)) == len(matrix) <= 2**number
    assert not matrix.sum(axis=0).any(), "each step is on in half of the cells"
    words = [word for p in (1, 2, 3) for word in combinations(range(number), p)]
    columns = {word: matrix[:, word].prod(axis=1) for word in words}
    for one, other in combinations(words, 2):
        if len(one) + len(other) < resolution:
            assert columns[one] @ columns[other] == 0


def test_alias_table_lists_equal_columns() -> None:
    design = fraction(5, 3)
    named = {step.label: column for step, column in zip(design.steps, signs(design).T, strict=True)}
    head, *lines = design_notes(design)
    assert head.startswith("aliases, ")
    assert len(lines) == 7
    for line in lines:
        columns = [
            np.prod([named[label] for label in word.split(":")], axis=0)
            for word in line.strip().split(" = ")
        ]
        assert all(abs(column @ columns[0]) == len(column) for column in columns)
    assert design_notes(fraction(3, 4)) == [
        "aliases: no main effect or two-factor interaction shares a contrast with another"
    ]


def test_resolution_is_a_roman_or_plain_number() -> None:
    steps = [{"label": label, "overrides": []} for label in "ab"]
    tree = {"name": "d", "kind": "fractional", "steps": steps}
    assert parse_design({**tree, "resolution": "V"}).resolution == 5
    assert parse_design({**tree, "resolution": 5}) == parse_design({**tree, "resolution": "V"})
    for wrong in (2, 7):
        with pytest.raises(ValueError, match="is not III, IV, V or VI"):
            expand_design(parse_design({**tree, "resolution": wrong}))
