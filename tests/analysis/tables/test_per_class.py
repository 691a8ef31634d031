"""Accuracy by class, compared with a count of the images; records without classes are read."""

import numpy as np
import pytest
from scipy import stats as scipy_stats
from support.trial_factory import LABELS, Ladder, Runs, bits

from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.evidence.images.correct_bits import reported_bits
from clip_hparam.analysis.stats.intervals import holm
from clip_hparam.analysis.tables import render
from clip_hparam.analysis.tables.per_class import MAX_SHOWN_CLASSES, classes_table
from clip_hparam.analysis.tables.registry import tables_of


def test_class_accuracy_equals_count_over_its_images(ladder: Ladder) -> None:
    frames = ladder.runs.frames()
    table = classes_table(frames, ABLATIONS["ladder"])
    trials = frames.trials.set_index("trial_id")
    cells = {cell.label: list(cell.trials.values()) for cell in frames.sweeps[0].cells}
    right = {name: reported_bits(trials.loc[ids]) for name, ids in cells.items()}
    data = table.data.set_index("class")
    for digit in range(10):
        shown = np.equal(LABELS, digit)
        after = 100 * right["higher_resolution"][:, shown].mean(axis=1)
        before = 100 * right["baseline"][:, shown].mean(axis=1)
        row = data.loc[str(digit)]
        assert row["images"] == shown.sum()
        assert (row["acc1"], row["first_acc1"]) == pytest.approx((after.mean(), before.mean()))
        theirs = scipy_stats.ttest_1samp(after - before, 0)
        low, high = theirs.confidence_interval(0.95)
        assert (row["delta_low"], row["delta_high"]) == pytest.approx((low, high))
        assert row["delta_p"] == pytest.approx(theirs.pvalue)
    assert list(data["delta_p_holm"]) == pytest.approx(holm(list(data["delta_p"])))
    assert list(data["acc1"]) == sorted(data["acc1"])
    assert "accuracy for higher_resolution, the best rung on" in table.notes[0]
    assert "Δ is higher_resolution minus baseline, the first rung." in table.notes[0]
    assert render.to_markdown(table).count("\n| ") == 11
    assert table.shown.iloc[:, 2].str.fullmatch(r"\d+\.\d ± \d+\.\d").all()


def many_classes(runs: Runs, seed: int) -> None:
    record = runs.done({}, seed, 90.0 + seed)
    labels = np.random.default_rng(1).integers(30, size=len(LABELS))
    labels[labels == 7] = 8  # one class has no test image
    shows = {"labels": labels, "classes": np.array([f"class {n}" for n in range(30)])}
    np.savez(record.folder / "correct.npz", **{**bits(90.0 + seed, seed, False), **shows})
    record.write_result(record.result() or {})


def test_worst_classes_are_shown_and_csv_has_all(runs: Runs) -> None:
    for seed in (0, 1):
        many_classes(runs, seed)
    runs.sweep("lr", {"a": {}}, seeds=[0, 1])
    table = classes_table(runs.frames(), ABLATIONS["lr"])
    assert (len(table.shown), len(table.data)) == (MAX_SHOWN_CLASSES, 29)
    assert "20 of 30 classes are shown" in table.notes[0]
    assert "Δ, points" not in table.shown


@pytest.mark.parametrize("how", ["before classes were recorded", "other test images", "a gap"])
def test_missing_class_labels_become_a_note(runs: Runs, how: str) -> None:
    for seed in (0, 1):
        record = runs.done({}, seed, 95.0 + seed)
        if how == "other test images" and seed:
            many_classes(runs, seed)
        if how == "before classes were recorded":
            old = {
                k: v for k, v in bits(95.0, seed, False).items() if k not in ("labels", "classes")
            }
            np.savez(record.folder / "correct.npz", **old)
            record.write_result(record.result() or {})
    if how == "a gap":
        (record.folder / "result.json").unlink()
    runs.sweep("lr", {"a": {}}, seeds=[0, 1])
    message = {
        "before classes were recorded": "does not say which class an image is of",
        "other test images": "differ in their test images",
        "a gap": "every cell has a missing run",
    }[how]
    (table,) = tables_of(runs.frames(), "lr")
    assert message in table.notes[-1]
    assert table.data["n"].iloc[0] == (1 if how == "a gap" else 2)
