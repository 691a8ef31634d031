"""Rank correlation of cheap and full runs of known ranks; epochs saved by pruning."""

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.searches.fidelity import fidelity_proxies, proxy
from clip_hparam.analysis.evidence.searches.pruning import pruning_savings

ACCURACIES = (91.0, 92.0, 93.0, 94.0, 95.0, 96.0, 97.0, 98.0, 99.0)


def test_rank_correlation_of_shorter_runs_is_1_or_minus_1(runs: Runs) -> None:
    for n, acc1 in enumerate(ACCURACIES):
        knobs = {"lr": 1e-3 * (n + 1)}
        runs.done({**knobs, "epochs": 20, "ema_decay": 0.98}, 0, acc1)
        runs.done({**knobs, "epochs": 10, "ema_decay": 0.96}, 0, acc1 - 2)
        runs.done({**knobs, "epochs": 5, "ema_decay": 0.92}, 0, 180 - acc1)
    proxies = [item for item in fidelity_proxies(runs.frames()) if item.fidelity == "epochs"]
    between = {item.cheap: item for item in proxies}
    assert (between[10].spearman, between[10].kept, between[10].n) == (1, 1, 9)
    assert (between[5].spearman, between[5].kept) == (-1, 0)
    assert {item.full for item in proxies} == {20}


def test_pairs_differ_only_in_the_fidelity(runs: Runs) -> None:
    """Runs that also differ in another knob or in the seed are no pair."""
    for n, acc1 in enumerate(ACCURACIES):
        runs.done({"lr": 1e-3 * (n + 1), "resolution": 48}, 0, acc1)
        runs.done({"lr": 1e-3 * (n + 1), "resolution": 32, "mixup": 0.8}, 0, acc1)
        runs.done({"lr": 1e-3 * (n + 1), "resolution": 32}, 1, acc1)
    assert not [item for item in fidelity_proxies(runs.frames()) if item.fidelity == "resolution"]


def test_early_epochs_are_compared_with_the_full_run(runs: Runs) -> None:
    for n, acc1 in enumerate(ACCURACIES):
        runs.done({"lr": 1e-3 * (n + 1), "epochs": 9}, 0, acc1)
    within = [item for item in fidelity_proxies(runs.frames()) if item.fidelity == "epoch"]
    assert [(item.cheap, item.full, item.n) for item in within] == [(e, 9, 9) for e in (1, 2, 4, 8)]
    assert all(item.spearman == pytest.approx(1) for item in within)


def test_too_few_runs_are_refused(runs: Runs) -> None:
    runs.done({}, 0, 95)
    with pytest.raises(ValueError, match="fidelity needs 8 finished trials"):
        fidelity_proxies(runs.frames())


def test_the_interval_of_rho_covers_the_truth() -> None:
    """Normal pairs have the rank correlation 6 / pi arcsin(r / 2)."""
    r, n = 0.6, 40
    truth = 6 / np.pi * np.arcsin(r / 2)
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        cheap, noise = rng.normal(size=(2, n))
        full = r * cheap + np.sqrt(1 - r**2) * noise
        result = proxy("epoch", (1, 9), pd.DataFrame({"cheap": cheap, "full": full}))
        inside += result.low < truth < result.high
    assert 0.91 <= inside / 400 <= 0.98


def test_pruning_savings_count_untrained_epochs(runs: Runs) -> None:
    for seed in range(3):
        runs.done({"epochs": 10}, seed, 95)
    assert pruning_savings(runs.frames()) is None
    record = runs.planned({"epochs": 10, "lr": 1.0})
    record.write_rows([{"epoch": 0, "step": 5}, {"epoch": 1, "step": 10}])
    record.write_status("pruned")
    savings = pruning_savings(runs.frames())
    assert savings is not None
    assert (savings.trials, savings.pruned, savings.epochs, savings.asked) == (4, 1, 32, 40)
    assert savings.share == pytest.approx(0.2)
