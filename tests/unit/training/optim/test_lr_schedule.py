"""The learning-rate schedule: the epoch means of the four published logs, and its limits."""

import csv
from pathlib import Path

import numpy as np
import pytest

from clip_hparam.planning.resolve import EMA_HALF_LIFE_SHARE, ema_decay_for
from clip_hparam.training.optim.lr_schedule import lr_schedule

with (Path(__file__).parents[3] / "data" / "ft_clip_lr.csv").open() as file:
    LOGGED = list(csv.DictReader(file))

# lr, epochs, warm-up epochs, layer decay, blocks
PUBLISHED = {
    "CLIP_B16": (6e-4, 50, 10, 0.6, 12),
    "CLIP_B16_384": (7e-4, 50, 10, 0.6, 12),
    "CLIP_L14": (4e-4, 30, 5, 0.65, 24),
    "CLIP_L14_336": (6e-4, 30, 5, 0.65, 24),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_epoch_means_equal_the_logged_ones(model: str) -> None:
    lr, epochs, warmup, layer_decay, blocks = PUBLISHED[model]
    rows = [row for row in LOGGED if row["model"] == model]
    steps = int(rows[0]["iters"]) // int(rows[0]["accum"])
    schedule = lr_schedule(lr, 1e-6, epochs * steps, warmup * steps)
    means = schedule.reshape(epochs, steps).mean(axis=1)[: len(rows)]
    lowest = means * layer_decay ** (blocks + 1)
    for ours, column in ((means, "train_lr_mean"), (lowest, "train_min_lr_mean")):
        np.testing.assert_allclose(ours, [float(row[column]) for row in rows], rtol=1e-12)


def test_all_143_logged_epochs_are_compared() -> None:
    assert len(LOGGED) == 143
    assert {row["model"] for row in LOGGED} == set(PUBLISHED)


@pytest.mark.parametrize(("steps", "warmup"), [(10, 3), (2, 1), (7, 0), (100, 99)])
def test_schedule_starts_at_zero_and_falls_from_lr_to_min_lr(steps: int, warmup: int) -> None:
    schedule = lr_schedule(1.0, 0.1, steps, warmup)
    assert schedule.shape == (steps,)
    assert schedule[warmup] == 1.0
    assert schedule[0] == (0.0 if warmup else 1.0)
    assert (np.diff(schedule[warmup:]) < 0).all()
    assert (schedule[warmup:] > 0.1).all()


@pytest.mark.parametrize(("steps", "warmup"), [(10, 10), (10, 11), (10, -1), (0, 0)])
def test_warmup_that_leaves_no_step_for_the_cosine_is_refused(steps: int, warmup: int) -> None:
    with pytest.raises(ValueError, match="less than steps"):
        lr_schedule(1e-3, 0.0, steps, warmup)


@pytest.mark.parametrize("steps", [100, 31250])
def test_automatic_ema_has_its_half_life(steps: int) -> None:
    assert ema_decay_for(steps) ** (EMA_HALF_LIFE_SHARE * steps) == pytest.approx(0.5)


def test_automatic_ema_of_the_published_run_is_its_published_decay() -> None:
    assert ema_decay_for(31250) == pytest.approx(0.9998, abs=2e-6)
