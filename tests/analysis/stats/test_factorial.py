"""Effects of factorial designs, against least squares."""

import itertools

import numpy as np
import pytest

from clip_hparam.analysis.stats.factorial import factorial_effects, signs_of
from clip_hparam.analysis.stats.intervals import estimate

FACTORS = ["a", "b", "c"]
FULL = np.array(list(itertools.product((-1, 1), repeat=3)))


def test_effects_are_twice_the_least_squares_coefficients() -> None:
    values = np.random.default_rng(0).normal(97, 1, (8, 4))
    pairs = list(itertools.combinations(range(3), 2))
    products = [FULL[:, left] * FULL[:, right] for left, right in pairs]
    matrix = np.column_stack([np.ones(8), FULL, *products])
    coefficients = np.linalg.lstsq(matrix, values, rcond=None)[0]
    effects = factorial_effects(FACTORS, FULL, values)
    assert [effect.label for effect in effects] == ["a", "b", "c", "a:b", "a:c", "b:c"]
    for effect, by_seed in zip(effects, 2 * coefficients[1:], strict=True):
        assert effect.estimate[:4] == pytest.approx(estimate(by_seed)[:4])
        assert effect.values == pytest.approx(tuple(by_seed))


def test_an_interaction_is_half_of_the_change_of_the_other_effect() -> None:
    values = np.array([[0.0, 0.1], [1.0, 1.1], [2.0, 2.0], [6.0, 6.2]])  # none, a, b, a+b
    _, signs = signs_of(["none", "a", "b", "a+b"])
    effects = factorial_effects(["a", "b"], signs, values)
    means = {effect.label: effect.estimate.mean for effect in effects}
    with_b, without = values[3] - values[2], values[1] - values[0]
    assert means["a:b"] == pytest.approx(np.mean(with_b - without) / 2)
    assert means["a"] == pytest.approx(np.mean(with_b + without) / 2)


def test_aliased_effects_of_a_fraction_share_one_entry() -> None:
    half = FULL[FULL.prod(axis=1) == 1]
    mirrored = FULL[FULL.prod(axis=1) == -1]
    values = np.random.default_rng(0).normal(size=(4, 3))
    assert [effect.names for effect in factorial_effects(FACTORS, half, values)] == [
        ("a", "b:c"),
        ("b", "a:c"),
        ("c", "a:b"),
    ]
    labels = [effect.label for effect in factorial_effects(FACTORS, mirrored, values)]
    assert labels == ["a = -b:c", "b = -a:c", "c = -a:b"]


@pytest.mark.parametrize("rows", [[1, 2, 3], [0, 1, 2, 3, 4, 5], [*range(8), 0, 3, 5, 6]])
def test_an_unbalanced_or_non_orthogonal_design_is_refused(rows: list[int]) -> None:
    """Some cells of the full design, or the full design with four of its cells repeated."""
    cells = FULL[rows]
    with pytest.raises(ValueError, match=r"balanced|mix"):
        factorial_effects(FACTORS, cells, np.zeros((len(cells), 2)))
