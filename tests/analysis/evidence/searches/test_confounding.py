"""Knobs that always varied together are reported, and other knobs are not."""

import numpy as np
import pandas as pd
import pytest

from clip_hparam.analysis.evidence.searches.confounding import companions, confounded_groups
from clip_hparam.analysis.evidence.searches.replicate_means import average_replicates
from clip_hparam.analysis.evidence.searches.summary import format_summary, summarise, summary_dict
from clip_hparam.analysis.frames.importing.import_table import to_trial_table


def groups(**columns: list[object]) -> list[tuple[str, ...]]:
    rows = pd.DataFrame(columns)
    return confounded_groups(
        to_trial_table(rows.assign(top1=np.arange(len(rows)) + 0.5), list(columns), [], "top1")
    )


def test_knobs_that_change_at_the_same_step_are_one_group() -> None:
    found = groups(
        lr=[1e-2, 1e-3, 1e-3, 1e-3, 1e-2, 1e-2],
        mixup=[0.8, 0.8, 0.8, 0.0, 0.0, 0.0],
        cutmix=[1.0, 1.0, 1.0, 0.0, 0.0, 0.0],
    )
    assert found == [("mixup", "cutmix")]
    assert companions(found, "mixup") == ["cutmix"]
    assert companions(found, "lr") == []


def test_knob_that_changes_only_where_another_does_is_in_its_group() -> None:
    found = groups(epochs=[5, 5, 10, 10, 20, 20], warmup=[0.2, 0.2, 0.2, 0.2, 0.1, 0.1])
    assert found == [("epochs", "warmup")]


def test_groups_grow_over_pairs() -> None:
    on = ["a", "a", "a", "b", "b", "b"]
    assert groups(x=on, y=on, z=on, free=["a", "b"] * 3) == [("x", "y", "z")]


@pytest.mark.parametrize("points", [4, 9, 40])
def test_grid_and_random_search_have_no_group(points: int) -> None:
    rng = np.random.default_rng(points)
    lr, decay = np.meshgrid([1, 2, 3, 4], [0.5, 0.7, 0.9])
    assert groups(lr=list(lr.ravel()), layer_decay=list(decay.ravel())) == []
    assert groups(lr=list(rng.uniform(size=points)), mixup=list(rng.uniform(size=points))) == []


def test_values_that_rise_together_are_a_group_though_none_repeats() -> None:
    lr = np.geomspace(1e-4, 1e-2, 12)
    assert groups(lr=list(lr), weight_decay=list(1 / lr), drop_path=list(np.sin(lr * 1e4))) == [
        ("lr", "weight_decay")
    ]


def test_summary_marks_them_where_it_lists_importances() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"lr": rng.choice([1.0, 2.0, 3.0], 40), "mixup": rng.choice([0, 0.8], 40)})
    rows = rows.assign(cutmix=rows["mixup"] + 0.2, top1=rows["lr"] + rng.normal(0, 0.1, 40))
    table = to_trial_table(rows, ["lr", "mixup", "cutmix"], [], "top1")
    summary, _ = summarise(average_replicates(table))
    text = format_summary(summary)
    assert "mixup  * varied together with cutmix" in text
    assert "cutmix  * varied together with mixup" in text
    assert "lr  *" not in text
    assert "varied together, so their effects cannot be separated: mixup, cutmix" in text
    assert summary_dict(summary)["confounded"] == [["mixup", "cutmix"]]
