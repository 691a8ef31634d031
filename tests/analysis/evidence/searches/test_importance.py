"""Importance of knobs in tables of known truth."""

import numpy as np
import pandas as pd
import pytest

from clip_hparam.analysis.evidence.searches.importance import axis_positions, importance
from clip_hparam.analysis.evidence.searches.replicate_means import average_replicates
from clip_hparam.analysis.evidence.searches.summary import summarise, summary_dict
from clip_hparam.analysis.frames.importing.import_table import to_trial_table

KNOBS, METRICS = ["lr", "mixup", "aug"], ["top1", "ood"]


@pytest.mark.parametrize("method", ["fanova", "ped_anova"])
def test_importance_ranks_the_known_knob_first_with_an_interval(
    results: pd.DataFrame, method: str
) -> None:
    found, _ = summarise(average_replicates(to_trial_table(results, KNOBS, METRICS, "top1")))
    summary = summary_dict(found)
    shares = summary["importance"][method]
    assert max(shares, key=lambda knob: shares[knob]["mean"]) == "lr"
    assert sum(share["mean"] for share in shares.values()) == pytest.approx(1)
    for share in shares.values():
        assert 0 <= share["low"] <= share["mean"] <= share["high"] <= 1
    assert shares["lr"]["low"] < shares["lr"]["high"]


def test_ped_anova_explains_the_best_trials_and_not_the_worst() -> None:
    """`peak` raises some trials to the top, `trap` lowers some trials to the bottom."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"peak": rng.random(300), "trap": rng.random(300)})
    gain = 5.0 * (rows["peak"] > 0.9) - 5.0 * (rows["trap"] > 0.9) + rng.normal(0, 0.1, 300)
    shares = importance(
        to_trial_table(rows.assign(top1=gain), ["peak", "trap"], [], "top1"), refits=4
    )
    assert shares["ped_anova"]["peak"].low > 2 * shares["ped_anova"]["trap"].high


def test_axis_positions_are_logarithmic_over_two_decades_and_missing_is_separate() -> None:
    wide = axis_positions(pd.Series([1e-5, 1e-1, 1e-3, 0.0, np.nan]))
    assert list(wide[:3]) == pytest.approx([-5, -1, -3])
    assert wide[4] < wide[3] < -5
    narrow = pd.Series([1.0, 100.0, np.nan])
    assert list(axis_positions(narrow)[:2]) == [1.0, 100.0]
    assert axis_positions(narrow)[2] < 1.0
    assert list(axis_positions(pd.Series(["a", None, "b"]))) == ["a", "(missing)", "b"]
