"""Designs that choose their own points: fractional factorials, random and Sobol draws."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ranges import format_range, ranges

from clip_hparam.design.design import Design
from clip_hparam.design.expand import expand_design
from clip_hparam.design.ranges import Range
from clip_hparam.design.sampling import level_at, random_positions, sobol_positions

SAMPLED = st.sampled_from(["random", "sobol"])


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


def test_random_draws_of_two_knobs_are_independent() -> None:
    knobs = {name: ["interval(0, 1)"] for name in ("drop_path", "mixup")}
    drawn = random_positions(Design("d", "random", knobs=knobs, samples=500))
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.15


def test_levels_have_equal_shares_of_the_positions() -> None:
    levels = ["0.1", "0.2", "0.3"]
    at = [level_at("drop_path", levels, (n + 0.5) / 30) for n in range(30)]
    assert at == [level for level in levels for _ in range(10)]


def test_the_first_points_of_a_sobol_design_are_balanced_for_every_power_of_two() -> None:
    knobs = {name: ["interval(0, 1)"] for name in "abc"}
    drawn = sobol_positions(Design("d", "sobol", knobs=knobs, samples=24))
    for size in (2, 4, 8, 16):
        halves = (drawn[:size] < 0.5).sum(axis=0)
        assert halves.tolist() == [size // 2] * 3
