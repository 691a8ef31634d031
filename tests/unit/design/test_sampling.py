"""Designs that choose their own points: fractional factorials, random and Sobol draws."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clip_hparam.design.design import Design, Step, parse_design
from clip_hparam.design.expand import design_notes, expand_design
from clip_hparam.design.ranges import Range, parse_range

SAMPLED = st.sampled_from(["random", "sobol"])
ranges = st.builds(
    lambda low, factor, log, whole: Range(float(low), float(low * factor), log, whole),
    st.integers(1, 50),
    st.integers(2, 9),
    st.booleans(),
    st.booleans(),
)


def format_range(drawn: Range) -> str:
    text = f"interval({drawn.low:g}, {drawn.high:g})"
    text = f"int({text})" if drawn.whole else text
    return f"tag(log, {text})" if drawn.log else text


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


@given(ranges)
def test_parse_range_inverts_writing_a_range(drawn: Range) -> None:
    assert parse_range(format_range(drawn)) == drawn


@given(ranges, st.floats(0, 1, exclude_max=True))
def test_value_at_lies_in_the_range(drawn: Range, position: float) -> None:
    value = float(drawn.value_at(position))
    assert drawn.low * (1 - 1e-3) <= value <= drawn.high * (1 + 1e-3)
    assert not drawn.whole or value % 1 == 0


@pytest.mark.parametrize(
    "text", ["interval(2, 1)", "tag(log, interval(0, 1))", "int(interval(0.5, 2))"]
)
def test_invalid_range_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is no range: it needs"):
        parse_range(text)


@pytest.mark.parametrize("text", ["0.1", "interval", "rand-m9-inc1", "interval(1, 2", "(1, 2)"])
def test_other_text_is_a_level(text: str) -> None:
    assert parse_range(text) is None


@settings(deadline=None)
@given(SAMPLED, st.dictionaries(st.sampled_from("abc"), ranges, min_size=1), st.integers(1, 20))
def test_more_samples_keep_the_first_samples(
    kind: str, knobs: dict[str, Range], samples: int
) -> None:
    texts = {knob: [format_range(drawn)] for knob, drawn in knobs.items()}
    few, many = (
        expand_design(Design("d", kind, knobs=texts, samples=n)) for n in (samples, 2 * samples)
    )
    assert len(few) == samples
    assert many[:samples] == few
    fine = texts | {"z": ["interval(0, 1)"]}  # integers alone can agree by chance
    other = expand_design(Design("d", kind, knobs=fine, samples=32, sampling_seed=1))
    assert other != expand_design(Design("d", kind, knobs=fine, samples=32))


def test_additional_knob_does_not_change_draws_of_the_others() -> None:
    knobs = {"lr": ["interval(0, 1)"], "mixup": ["interval(0, 1)"]}
    both = expand_design(Design("d", "random", knobs=knobs, samples=5))
    alone = expand_design(Design("d", "random", knobs={"lr": knobs["lr"]}, samples=5))
    assert [cell.overrides[:1] for cell in both] == [cell.overrides for cell in alone]


def test_sobol_points_are_spread_evenly_over_each_knob() -> None:
    knobs = {"lr": ["tag(log, interval(1e-4, 1))"], "pool": ["cls", "clip"]}
    cells = expand_design(Design("d", "sobol", knobs=knobs, samples=16))
    lrs = [float(cell.overrides[0].partition("=")[2]) for cell in cells]
    assert Counter(int(np.floor(np.log10(lr))) for lr in lrs) == {-4: 4, -3: 4, -2: 4, -1: 4}
    assert Counter(cell.overrides[1] for cell in cells) == {"pool=cls": 8, "pool=clip": 8}
