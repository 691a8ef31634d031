"""Gains over all orders of a ladder, compared with an enumeration of the orders."""

import itertools
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.stats.factorial import signs_of
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.analysis.stats.shapley import is_full_factorial, ordered_gains
from clip_hparam.analysis.tables.orders import orders_table

NAMES = ("a", "b", "c")
LABELS = ["none", *("+".join(on) for n in (1, 2, 3) for on in itertools.combinations(NAMES, n))]
FACTORS, SIGNS = signs_of(LABELS)
VALUES = arrays(float, (8, 3), elements=st.floats(50, 100, width=32))


def walked(values: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Return the gain of each change in each order, per seed."""
    row = {frozenset([] if label == "none" else label.split("+")): values[at]
           for at, label in enumerate(LABELS)}  # fmt: skip
    steps: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    for order in itertools.permutations(NAMES):
        for at, name in enumerate(order):
            steps[name].append(row[frozenset(order[: at + 1])] - row[frozenset(order[:at])])
    return steps


@given(VALUES)
def test_gain_is_the_mean_over_all_orders(values: np.ndarray) -> None:
    steps = walked(values)
    for gain in ordered_gains(FACTORS, SIGNS, values):
        taken = steps[gain.change]
        assert len(taken) == factorial(len(NAMES))
        assert gain.mean.mean == pytest.approx(np.mean(taken), abs=1e-9)
        assert (gain.low, gain.high) == pytest.approx(
            (min(step.mean() for step in taken), max(step.mean() for step in taken)), abs=1e-9
        )


@given(VALUES)
def test_gains_sum_to_total_and_first_and_last_are_end_steps(values: np.ndarray) -> None:
    gains = {gain.change: gain for gain in ordered_gains(FACTORS, SIGNS, values)}
    whole = values[LABELS.index("a+b+c")] - values[0]
    assert sum(gain.mean.mean for gain in gains.values()) == pytest.approx(whole.mean(), abs=1e-9)
    alone = values[LABELS.index("b")] - values[0]
    to_all = values[LABELS.index("a+b+c")] - values[LABELS.index("a+c")]
    assert gains["b"].first.mean == pytest.approx(alone.mean(), abs=1e-9)
    assert gains["b"].last.mean == pytest.approx(to_all.mean(), abs=1e-9)


def test_interval_is_over_each_seeds_mean_gain() -> None:
    values = np.random.default_rng(0).normal(95, 1, (8, 4))
    by_seed = np.mean(walked(values)["c"], axis=0)
    found = ordered_gains(FACTORS, SIGNS, values)[NAMES.index("c")]
    assert found.mean[:4] == pytest.approx(estimate(by_seed)[:4])


def test_orders_table_needs_all_cells_complete(runs: Runs) -> None:
    knobs = {"a": {"lr": 1e-2}, "b": {"mixup": 0.5}}
    cells = {
        "none": {}, "a": knobs["a"], "b": knobs["b"], "a+b": knobs["a"] | knobs["b"],
    }  # fmt: skip
    for number, values in enumerate(cells.values()):
        for seed, noise in enumerate((0.1, -0.1)):
            runs.done(values, seed, 95 + number + noise * number)
    runs.sweep("factorial", cells, seeds=range(2))
    table = orders_table(runs.frames(), ABLATIONS["factorial"])
    assert table is not None
    assert list(table.shown["change"]) == ["a", "b"]
    assert "one of 2 orders" in table.notes[0]
    (runs.done(knobs["a"], 1, 95.0).folder / "result.json").unlink()
    assert orders_table(runs.frames(), ABLATIONS["factorial"]) is None
    assert not is_full_factorial(*signs_of(["none", "a+b", "b+c", "a+c"]))
