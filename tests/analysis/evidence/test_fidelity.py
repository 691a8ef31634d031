"""Rank correlation of cheap and full runs whose ranks are known; and what pruning saved."""

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.fidelity import fidelity_proxies, proxy
from clip_hparam.analysis.evidence.summary import pruning_savings

ACCURACIES = (91.0, 92.0, 93.0, 94.0, 95.0, 96.0, 97.0, 98.0, 99.0)


def test_a_shorter_run_that_ranks_alike_is_a_proxy_and_one_in_reverse_is_not(runs: Runs) -> None:
    for n, acc1 in enumerate(ACCURACIES):
        knobs = {"lr": 1e-3 * (n + 1)}
        runs.done({**knobs, "epochs": 20, "ema_decay": 0.98}, 0, acc1)
        runs.done({**knobs, "epochs": 10, "ema_decay": 0.96}, 0, acc1 - 2)
        runs.done({**knobs, "epochs": 5, "ema_decay": 0.92}, 0, 180 - acc1)
    between = {
        one.cheap: one for one in fidelity_proxies(runs.frames()) if one.fidelity == "epochs"
    }
    assert (between[10].spearman, between[10].kept, between[10].n) == (1, 1, 9)
    assert (between[5].spearman, between[5].kept) == (-1, 0)
    assert {one.full for one in between.values()} == {20}


def test_pairs_differ_in_the_fidelity_alone(runs: Runs) -> None:
    """A change of another knob beside it makes no pair, nor does another seed."""
    for n, acc1 in enumerate(ACCURACIES):
        runs.done({"lr": 1e-3 * (n + 1), "resolution": 48}, 0, acc1)
        runs.done({"lr": 1e-3 * (n + 1), "resolution": 32, "mixup": 0.8}, 0, acc1)
        runs.done({"lr": 1e-3 * (n + 1), "resolution": 32}, 1, acc1)
    assert not [one for one in fidelity_proxies(runs.frames()) if one.fidelity == "resolution"]


def test_early_epochs_are_compared_with_the_end_of_the_same_run(runs: Runs) -> None:
    for n, acc1 in enumerate(ACCURACIES):
        runs.done({"lr": 1e-3 * (n + 1), "epochs": 9}, 0, acc1)
    within = [one for one in fidelity_proxies(runs.frames()) if one.fidelity == "epoch"]
    assert [(one.cheap, one.full, one.n) for one in within] == [(e, 9, 9) for e in (1, 2, 4, 8)]
    assert all(one.spearman == pytest.approx(1) for one in within)


def test_few_runs_say_nothing(runs: Runs) -> None:
    runs.done({}, 0, 95)
    with pytest.raises(ValueError, match="fidelity needs 8 finished trials"):
        fidelity_proxies(runs.frames())


def test_the_interval_covers_the_truth() -> None:
    """Normal pairs with a rank correlation that is known: 6 / pi arcsin(r / 2)."""
    r, n = 0.6, 40
    truth = 6 / np.pi * np.arcsin(r / 2)
    draw = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        cheap, noise = draw.normal(size=(2, n))
        full = r * cheap + np.sqrt(1 - r**2) * noise
        found = proxy("epoch", (1, 9), pd.DataFrame({"cheap": cheap, "full": full}))
        inside += found.low < truth < found.high
    assert 0.91 <= inside / 400 <= 0.98


def test_what_pruning_saved(runs: Runs) -> None:
    for seed in range(3):
        runs.done({"epochs": 10}, seed, 95)
    assert pruning_savings(runs.frames()) is None
    record = runs.planned({"epochs": 10, "lr": 1.0})
    record.write_rows([{"epoch": 0, "step": 5}, {"epoch": 1, "step": 10}])
    record.write_status("pruned")
    found = pruning_savings(runs.frames())
    assert found is not None
    assert (found.trials, found.pruned, found.epochs, found.asked) == (4, 1, 32, 40)
    assert found.share == pytest.approx(0.2)
