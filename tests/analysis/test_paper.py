"""Published numbers against what the source says about them elsewhere."""

import itertools

import pytest

from analysis.paper import LADDER, LADDER_REFERENCE, SYSTEMS

HOURS = {row.key: row.v100_hours or 0.0 for row in LADDER}


def test_the_steps_are_those_the_paper_names() -> None:
    steps = [after.acc1 - before.acc1 for before, after in itertools.pairwise(LADDER)]
    assert steps == pytest.approx([2.0, 0.3, 0.7, -0.1, 0.5, 0.9])


def test_costs_follow_from_the_changes() -> None:
    """EMA costs 0.8 %, layer decay 0.7 %, half the epochs exactly half, 384 px 2.88 times."""
    assert HOURS["ema"] / HOURS["lower_lr"] == pytest.approx(1.008, abs=5e-4)
    assert HOURS["llrd"] / HOURS["ema"] == pytest.approx(1.007, abs=5e-4)
    assert HOURS["fewer_epochs"] == pytest.approx(HOURS["llrd"] / 2, abs=0.06)
    assert HOURS["higher_resolution"] / HOURS["weak_aug"] == pytest.approx(2.88, abs=5e-3)


def test_the_ladder_ends_at_the_systems_of_the_table() -> None:
    ours = {(row.tower, row.resolution): row.acc1 for row in SYSTEMS if row.name == "FT-CLIP"}
    ends = {row.key: row.acc1 for row in LADDER}
    assert ours["ViT-B/16", 224] == ends["weak_aug"]
    assert ours["ViT-B/16", 384] == ends["higher_resolution"] == LADDER_REFERENCE.acc1


def test_every_number_has_a_source() -> None:
    assert all(row.source for row in (*LADDER, LADDER_REFERENCE, *SYSTEMS))
    assert len({(row.name, row.tower, row.resolution) for row in SYSTEMS}) == len(SYSTEMS)
