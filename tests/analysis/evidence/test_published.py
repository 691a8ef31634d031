"""Published numbers against other numbers of the same sources."""

import itertools

import pytest

from clip_hparam.analysis.evidence.published import (
    LADDER_REFERENCE,
    PAPER_LADDER,
    PLANNED_EPOCHS,
    PUBLISHED_SYSTEMS,
    read_logs,
    summarise_logs,
)

# model: epochs, EMA best, its epoch, EMA last, raw best, its epoch, raw last, EMA - raw; from the
# table made when the logs were first read
LOG_SUMMARIES = {
    "B16": (50, 85.656, 29, 84.728, 84.272, 48, 84.262, 1.38),
    "B16_384": (33, 86.644, 27, 86.566, 84.958, 31, 84.688, 1.69),
    "L14": (30, 87.974, 19, 87.486, 87.076, 16, 87.018, 0.90),
    "L14_336": (30, 88.328, 18, 87.730, 87.342, 13, 87.110, 0.99),
}
HOURS = {row.key: row.v100_hours or 0.0 for row in PAPER_LADDER}


def test_the_steps_equal_the_papers_text() -> None:
    steps = [after.acc1 - before.acc1 for before, after in itertools.pairwise(PAPER_LADDER)]
    assert steps == pytest.approx([2.0, 0.3, 0.7, -0.1, 0.5, 0.9])


def test_costs_have_the_ratios_of_the_changes() -> None:
    """EMA costs 0.8 %, layer decay 0.7 %, half the epochs exactly half, 384 px 2.88 times."""
    assert HOURS["ema"] / HOURS["lower_lr"] == pytest.approx(1.008, abs=5e-4)
    assert HOURS["llrd"] / HOURS["ema"] == pytest.approx(1.007, abs=5e-4)
    assert HOURS["fewer_epochs"] == pytest.approx(HOURS["llrd"] / 2, abs=0.06)
    assert HOURS["higher_resolution"] / HOURS["weak_aug"] == pytest.approx(2.88, abs=5e-3)


def test_the_last_rungs_equal_the_systems_of_the_table() -> None:
    ours = {
        (row.tower, row.resolution): row.acc1 for row in PUBLISHED_SYSTEMS if row.name == "FT-CLIP"
    }
    ends = {row.key: row.acc1 for row in PAPER_LADDER}
    assert ours["ViT-B/16", 224] == ends["weak_aug"]
    assert ours["ViT-B/16", 384] == ends["higher_resolution"] == LADDER_REFERENCE.acc1


def test_every_number_has_a_source() -> None:
    assert all(row.source for row in (*PAPER_LADDER, LADDER_REFERENCE, *PUBLISHED_SYSTEMS))
    assert len({(row.name, row.tower, row.resolution) for row in PUBLISHED_SYSTEMS}) == len(
        PUBLISHED_SYSTEMS
    )


def test_best_last_and_ema_minus_raw_of_the_published_logs() -> None:
    for run in summarise_logs():
        *numbers, gain = LOG_SUMMARIES[run.model]
        assert list(run[1:]) == numbers
        assert run.ema_best - run.raw_best == pytest.approx(gain, abs=5.1e-3)
    assert [run.model for run in summarise_logs()] == list(LOG_SUMMARIES) == list(PLANNED_EPOCHS)


def test_the_published_accuracies_are_the_rounded_best_epochs() -> None:
    resolutions = {"B16": 224, "B16_384": 384, "L14": 224, "L14_336": 336}
    systems = {
        (row.tower, row.resolution): row.acc1 for row in PUBLISHED_SYSTEMS if row.name == "FT-CLIP"
    }
    for run in summarise_logs():
        tower = "ViT-B/16" if run.model.startswith("B16") else "ViT-L/14"
        assert round(run.ema_best, 1) == systems[tower, resolutions[run.model]]


def test_the_logs_have_every_epoch() -> None:
    counts = read_logs().groupby("model")["epoch"].agg(["min", "max", "count"])
    assert len(read_logs()) == 143
    assert (counts["max"] - counts["min"] + 1 == counts["count"]).all()
    assert not read_logs().isna().any(axis=None)
