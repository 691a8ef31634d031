"""The final comparison: published numbers equal the source, our row needs ImageNet-1k."""

import numpy as np
import pytest
from scipy import stats as scipy_stats
from support.trial_factory import Ladder, Runs

from clip_hparam.analysis.evidence.published import PUBLISHED_SYSTEMS, summarise_logs
from clip_hparam.analysis.tables import render
from clip_hparam.analysis.tables.systems import systems_table

# the README's table, row by row; None is its "----"
README = {
    "ImageNet-21K": (84.0, 86.2, 87.1, None, None),
    "JFT-300M": (None, 86.7, 88.0, None, None),
    "JFT-3B": (None, 86.6, 88.5, None, None),
    "MVP": (84.4, None, None, None, None),
    "FD-CLIP": (84.9, None, None, None, None),
    "CAE-v2": (85.3, None, None, None, None),
    "BEiT-2": (85.5, None, None, None, None),
    "FT-CLIP": (85.7, 86.6, None, 88.0, 88.3),
    "GFLOPs an image": (17.5, 55.4, 190.7, 80.7, 190.6),
}


def cells(runs: Runs) -> dict[str, tuple[str, ...]]:
    shown = systems_table(runs.frames()).shown
    return {row["system"]: tuple(row.iloc[2:]) for _, row in shown.iterrows()}


def test_published_numbers_equal_the_source_and_other_cells_are_empty(ladder: Ladder) -> None:
    shown = cells(ladder.runs)
    for system, values in README.items():
        assert shown[system] == tuple("" if v is None else f"{v:.1f}" for v in values)
    last = [f"{run.ema_last:.1f}" for run in summarise_logs()]
    assert [text for text in shown["FT-CLIP, last epoch"] if text] == last
    assert "ours" not in shown
    table = systems_table(ladder.runs.frames())
    assert "the table has no row for this project" in table.notes[-1]
    assert table.data["source"].all()
    assert len(table.data) == len(PUBLISHED_SYSTEMS) + 4
    assert r"\toprule" in render.to_latex(table)


def test_our_row_is_the_cell_with_best_selection_accuracy(runs: Runs) -> None:
    tower = {"data.name": "imagenet", "encoder.name": "ViT-B-16-quickgelu", "resolution": 224}
    accuracies = {1e-4: (84.0, 84.4, 84.1), 3e-4: (85.0, 85.4, 85.5)}
    for lr, values in accuracies.items():
        for seed, acc1 in enumerate(values):
            runs.done({**tower, "lr": lr}, seed, acc1)
    runs.done({"lr": 1e-2}, 0, 99.0)  # on other data
    best = accuracies[3e-4]
    low, high = scipy_stats.ttest_1samp(best, 0).confidence_interval(0.95)
    row = systems_table(runs.frames()).data.set_index("system").loc["ours"]
    assert (row["tower"], row["resolution"], row["n"]) == ("ViT-B/16", 224, 3)
    assert (row["acc1"], row["low"], row["high"]) == pytest.approx((np.mean(best), low, high))
    assert len(row["trials"].split()) == 3
    assert cells(runs)["ours"][0].startswith("85.3 ± ")
