"""Effects of a factorial sweep of known truth: numbers, table, figure and conclusion."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.figures import registry
from clip_hparam.analysis.figures.forest_plot import factorial_forest
from clip_hparam.analysis.tables import render
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.analysis.tables.effects import effects_table


def write_factorial_sweep(runs: Runs, gain: Callable[[list[str]], float], skip: int = -1) -> None:
    """Write a 2 x 2 sweep with 4 seeds; `skip`: the cell that lacks seed 2."""
    knobs = {"llrd": {"layer_decay": 0.65}, "ema": {"ema_decay": 0.9}}
    rng = np.random.default_rng(0)
    cells = {}
    for on in ([], ["llrd"], ["ema"], ["llrd", "ema"]):
        values = {key: value for step in on for key, value in knobs[step].items()}
        cells["+".join(on) or "none"] = values
        for seed in range(4):
            if (len(cells) - 1, seed) != (skip, 2):
                runs.done(values, seed, 95 + seed / 3 + gain(on) + rng.normal(0, 0.02))
    runs.sweep("factorial", cells, seeds=range(4))


def test_effects_of_a_sweep_equal_the_known_truth(runs: Runs) -> None:
    write_factorial_sweep(
        runs, lambda on: 1.0 * ("llrd" in on) + 0.5 * ("ema" in on) - 0.4 * (len(on) == 2)
    )
    frames, ablation = runs.frames(), ABLATIONS["factorial"]
    means = {effect.label: effect.estimate.mean for effect in sweep_effects(frames, ablation)}
    assert means == pytest.approx({"llrd": 0.8, "ema": 0.3, "llrd:ema": -0.2}, abs=0.05)
    table = effects_table(frames, ablation)
    assert list(table.bold["Δ, points"]) == [True, True, True]
    assert table.notes[0].startswith("16 of 16 runs")
    assert "**+0.8" in render.to_markdown(table)
    rows = factorial_forest(frames, ablation).effects
    assert [row.mean for row in rows] == list(means.values())
    assert [len(row.seeds) for row in rows] == [4, 4, 4]
    assert registry.plot_figure(frames, "factorial").axes
    sentence = conclusion(frames, ablation)
    assert re.search(r"effects over all others: llrd \+0\.\d+ ± .*ema .*llrd:ema", sentence)


def test_a_missing_run_leaves_effects_without_numbers(runs: Runs) -> None:
    write_factorial_sweep(runs, lambda on: 1.0 * len(on), skip=1)
    table = effects_table(runs.frames(), ABLATIONS["factorial"])
    assert set(table.shown["Δ, points"]) == {"\N{EM DASH}"}
    assert table.data["delta"].isna().all()
    assert set(table.data["why"]) == {"incomplete: a cell has no mean"}
    rows = factorial_forest(runs.frames(), ABLATIONS["factorial"]).effects
    assert [row.seeds for row in rows] == [(), (), ()]
