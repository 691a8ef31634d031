"""Effects of factorial designs, against least squares and against known truth."""

import itertools
import re
from collections.abc import Callable

import numpy as np
import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.figures import registry
from clip_hparam.analysis.figures.forest_plot import factorial_forest
from clip_hparam.analysis.stats.factorial import factorial_effects, signs_of
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.analysis.tables import render
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.analysis.tables.effects import effects_table

FACTORS = ["a", "b", "c"]
FULL = np.array(list(itertools.product((-1, 1), repeat=3)))


def test_effects_are_twice_the_coefficients_of_least_squares() -> None:
    values = np.random.default_rng(0).normal(97, 1, (8, 4))
    pairs = list(itertools.combinations(range(3), 2))
    products = [FULL[:, left] * FULL[:, right] for left, right in pairs]
    matrix = np.column_stack([np.ones(8), FULL, *products])
    coefficients = np.linalg.lstsq(matrix, values, rcond=None)[0]
    effects = factorial_effects(FACTORS, FULL, values)
    assert [effect.label for effect in effects] == ["a", "b", "c", "a:b", "a:c", "b:c"]
    for effect, by_seed in zip(effects, 2 * coefficients[1:], strict=True):
        assert effect.estimate[:4] == pytest.approx(estimate(by_seed)[:4])


def test_an_interaction_is_half_of_what_one_does_to_the_other() -> None:
    values = np.array([[0.0, 0.1], [1.0, 1.1], [2.0, 2.0], [6.0, 6.2]])  # none, a, b, a+b
    _, signs = signs_of(["none", "a", "b", "a+b"])
    found = {one.label: one.estimate.mean for one in factorial_effects(["a", "b"], signs, values)}
    with_b, without = values[3] - values[2], values[1] - values[0]
    assert found["a:b"] == pytest.approx(np.mean(with_b - without) / 2)
    assert found["a"] == pytest.approx(np.mean(with_b + without) / 2)


def test_what_a_fraction_cannot_tell_apart_is_named_together() -> None:
    half = FULL[FULL.prod(axis=1) == 1]
    mirrored = FULL[FULL.prod(axis=1) == -1]
    values = np.random.default_rng(0).normal(size=(4, 3))
    assert [one.names for one in factorial_effects(FACTORS, half, values)] == [
        ("a", "b:c"),
        ("b", "a:c"),
        ("c", "a:b"),
    ]
    labels = [one.label for one in factorial_effects(FACTORS, mirrored, values)]
    assert labels == ["a = -b:c", "b = -a:c", "c = -a:b"]


@pytest.mark.parametrize("rows", [[1, 2, 3], [0, 1, 2, 3, 4, 5], [*range(8), 0, 3, 5, 6]])
def test_a_design_whose_effects_would_mix_is_refused(rows: list[int]) -> None:
    """Not balanced; or, as a full design with one of its halves repeated, not orthogonal."""
    cells = FULL[rows]
    with pytest.raises(ValueError, match=r"balanced|mix"):
        factorial_effects(FACTORS, cells, np.zeros((len(cells), 2)))


def swept(runs: Runs, gain: Callable[[list[str]], float], skip: int = -1) -> None:
    knobs = {"llrd": {"layer_decay": 0.65}, "ema": {"ema_decay": 0.9}}
    draw = np.random.default_rng(0)
    cells = {}
    for on in ([], ["llrd"], ["ema"], ["llrd", "ema"]):
        values = {key: value for step in on for key, value in knobs[step].items()}
        cells["+".join(on) or "none"] = values
        for seed in range(4):
            if (len(cells) - 1, seed) != (skip, 2):
                runs.done(values, seed, 95 + seed / 3 + gain(on) + draw.normal(0, 0.02))
    runs.sweep("factorial", cells, seeds=range(4))


def test_the_truth_of_a_sweep_is_found(runs: Runs) -> None:
    swept(runs, lambda on: 1.0 * ("llrd" in on) + 0.5 * ("ema" in on) - 0.4 * (len(on) == 2))
    frames, ablation = runs.frames(), ABLATIONS["factorial"]
    found = {one.label: one.estimate for one in sweep_effects(frames, ablation)}
    means = {label: one.mean for label, one in found.items()}
    assert means == pytest.approx({"llrd": 0.8, "ema": 0.3, "llrd:ema": -0.2}, abs=0.05)
    made = effects_table(frames, ablation)
    assert list(made.bold["Δ, points"]) == [True, True, True]
    assert made.notes[0].startswith("16 of 16 runs")
    assert "**+0.8" in render.to_markdown(made)
    assert [effect.mean for effect in factorial_forest(frames, ablation).effects] == list(
        means.values()
    )
    assert registry.plot_figure(frames, "factorial").axes
    said = conclusion(frames, ablation)
    assert re.search(r"effects over all others: llrd \+0\.\d+ ± .*ema .*llrd:ema", said)


def test_a_missing_run_leaves_no_effect(runs: Runs) -> None:
    swept(runs, lambda on: 1.0 * len(on), skip=1)
    made = effects_table(runs.frames(), ABLATIONS["factorial"])
    assert set(made.shown["Δ, points"]) == {"\N{EM DASH}"}
    assert made.data["delta"].isna().all()
    assert set(made.data["why"]) == {"incomplete: a cell has no mean"}
