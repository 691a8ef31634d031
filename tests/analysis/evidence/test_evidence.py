"""Numbers of a table, against computations from the raw files of the records."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from support.trial_factory import RUNGS, SEEDS, Edit, Ladder, Runs, ladder_cells, write_ladder

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.replicates import NotSweptError, count_missing_runs
from clip_hparam.analysis.frames.labels import format_knob

AUTO_LEVELS = ["lr=2", "freeze=backbone", "resolution=auto"]
LADDER = ABLATIONS["ladder"]
STEPS = list(zip(RUNGS, list(RUNGS)[1:], strict=False))


def rows(runs: Runs, ablation: Ablation = LADDER) -> pd.DataFrame:
    """Return the evidence, index: label."""
    return cell_evidence(runs.frames(), ablation).set_index(ablation.row)


def accuracies(runs: Runs, rung: str) -> list[float]:
    """Return the reported accuracies of a rung, read from its manifest and result.json files."""
    (path,) = (runs.folder / ".sweeps").glob("ladder-*.json")
    (cell,) = (cell for cell in json.loads(path.read_text())["cells"] if cell["label"] == rung)
    values = []
    for seed in sorted(cell["trials"], key=int):
        result = json.loads((runs.folder / cell["trials"][seed] / "result.json").read_text())
        values.append(result["metrics"][f"test_acc1.{result['selected_weights']}.selected"])
    return values


@pytest.mark.parametrize("rung", RUNGS)
def test_mean_and_interval_equal_the_records(ladder: Ladder, rung: str) -> None:
    values = accuracies(ladder.runs, rung)
    assert values == list(ladder.truth[rung].values())
    interval = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.95)
    row = rows(ladder.runs).loc[rung]
    assert row["test_acc1"] == pytest.approx(np.mean(values))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((interval.low, interval.high))
    assert (row["n"], row["asked"]) == (5, 5)


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_a_step_equals_the_paired_test_of_the_records(
    ladder: Ladder, before: str, after: str
) -> None:
    old, new = accuracies(ladder.runs, before), accuracies(ladder.runs, after)
    theirs = scipy_stats.ttest_rel(new, old)
    row = rows(ladder.runs).loc[after]
    assert row["delta"] == pytest.approx(np.mean(new) - np.mean(old))
    ends = theirs.confidence_interval(0.95)
    assert (row["delta_low"], row["delta_high"]) == pytest.approx((ends.low, ends.high))
    assert row["delta_p"] == pytest.approx(theirs.pvalue)
    first = np.mean(accuracies(ladder.runs, "baseline"))
    assert row["baseline_delta"] == pytest.approx(np.mean(new) - first)


def test_holm_corrects_over_the_steps_of_the_table(ladder: Ladder) -> None:
    table = rows(ladder.runs)
    smallest = table["delta_p"].idxmin()
    assert table.loc[smallest, "delta_p_holm"] == pytest.approx(
        table.loc[smallest, "delta_p"] * len(STEPS)
    )


def test_the_changed_knobs_come_from_the_recipes(ladder: Ladder) -> None:
    changed = rows(ladder.runs)["changed"]
    assert changed["baseline"] == ""
    assert changed["lower_lr"] == "lr 0.006 → 0.001"
    assert changed["weak_aug"] == "mixup 0.8 → 0, cutmix 1 → 0"
    assert changed["fewer_epochs"] == "epochs 20 → 10, ema_decay 0.98 → 0.96"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1281167.0, "1281167"), (20, "20"), (1e-5, "1e-05"), (0.99088, "0.9909")],
)
def test_format_knob(value: float, text: str) -> None:
    assert format_knob(value) == text


def test_a_large_knob_is_written_with_an_exponent() -> None:
    assert format_knob(1e30) == "1e+30"


def test_cost_is_the_mean_over_the_cell(runs: Runs) -> None:
    for seed, seconds in enumerate((10.0, 12.0, 17.0)):
        runs.done({}, seed, 97.0 + seed, cost={"seconds": seconds, "gpu_hours": 0.5})
    runs.sweep("ladder", {"baseline": {}}, seeds=[0, 1, 2])
    row = rows(runs).loc["baseline"]
    assert (row["seconds"], row["gpu_hours"]) == (13.0, 0.5)


@pytest.mark.parametrize("how", ["no folder", "queued", "null", "damaged"])
def test_a_cell_with_a_missing_run_has_no_mean(runs: Runs, edit: Edit, how: str) -> None:
    gap = ("ema", 3)
    write_ladder(runs, skip=() if how in {"null", "damaged"} else (gap,))
    values = ladder_cells()["ema"]
    if how == "queued":
        runs.planned(values, 3)
    if how == "null":
        runs.done(values, 3, 97.0, metrics={"test_acc1.ema.selected": None})
    if how == "damaged":
        edit(runs.planned(values, 3).folder / "recipe.json", lambda tree: tree.update(label="x"))
    data = rows(runs)
    assert (data.loc["ema", "n"], data.loc["ema", "asked"]) == (4, 5)
    assert data.loc["ema", ["test_acc1", "ci_low", "delta", "seconds", "delta_p"]].isna().all()
    assert pd.isna(data.loc["ema", "sign_agrees"])
    assert math.isnan(data.loc["llrd", "delta"])
    assert not math.isnan(data.loc["llrd", "test_acc1"])
    assert not math.isnan(data.loc["llrd", "baseline_delta"])
    assert count_missing_runs(runs.frames(), ABLATIONS["ladder"]) == 1


def test_a_cell_without_records_has_the_levels_of_its_plan(runs: Runs, edit: Edit) -> None:
    grid = Ablation("lr", "Learning rate", knobs=("lr", "freeze", "resolution"), order="value")
    cells = {f"lr={lr}": {"lr": lr, "freeze": "backbone", "resolution": 32} for lr in (1, 2, 3)}
    runs.sweep("lr", cells, seeds=[0])
    (manifest,) = runs.folder.glob(".sweeps/*.json")
    edit(manifest, lambda tree: tree["cells"][1].update(overrides=AUTO_LEVELS))
    runs.planned(cells["lr=1"], 0)
    runs.done(cells["lr=3"], 0, 97.0)
    data = rows(runs, grid).set_index("lr")
    assert list(data.index) == [1, 2, 3]
    assert list(data["freeze"]) == ["backbone"] * 3
    assert math.isnan(data.loc[2, "resolution"])


def test_a_cell_without_records_has_a_row(runs: Runs) -> None:
    write_ladder(runs, skip=tuple(("weak_aug", seed) for seed in SEEDS))
    data = rows(runs)
    assert (data.loc["weak_aug", "n"], data.loc["weak_aug", "changed"]) == (0, "")
    assert data.loc["weak_aug", "paper_acc1"] == 85.7


def test_one_seed_has_a_mean_and_a_reason_for_no_interval(runs: Runs) -> None:
    runs.done({"lr": 6e-3}, 0, 95.0)
    runs.done({"lr": 1e-3}, 0, 97.0)
    runs.sweep("ladder", {"baseline": {"lr": 6e-3}, "lower_lr": {"lr": 1e-3}}, seeds=[0])
    row = rows(runs).loc["lower_lr"]
    assert (row["test_acc1"], row["delta"]) == (97.0, 2.0)
    assert row[["ci_low", "ci_high", "delta_low", "delta_p", "delta_p_holm"]].isna().all()
    assert row["why"] == row["delta_why"] == "one seed: no interval"


@pytest.mark.parametrize(("gain", "agrees"), [(0.5, True), (-0.5, False), (0.0, False)])
def test_signs_agree_if_both_differences_have_one_sign(
    runs: Runs, gain: float, agrees: bool
) -> None:
    for seed in range(3):
        runs.done({"lr": 6e-3}, seed, 96.0 + 0.1 * seed)
        runs.done({"lr": 1e-3}, seed, 96.0 + 0.1 * seed + gain)
    runs.sweep("ladder", {"baseline": {"lr": 6e-3}, "lower_lr": {"lr": 1e-3}}, seeds=[0, 1, 2])
    data = rows(runs)
    assert data.loc["lower_lr", "paper_delta"] == pytest.approx(2.0)
    assert bool(data.loc["lower_lr", "sign_agrees"]) is agrees
    assert pd.isna(data.loc["baseline", "sign_agrees"])


def test_a_rung_that_is_not_in_the_paper_has_no_paper_numbers(runs: Runs) -> None:
    for seed in range(2):
        runs.done({}, seed, 96.0 + seed)
        runs.done({"drop_path": 0.1}, seed, 96.5 + seed / 2)
    runs.sweep("ladder", {"baseline": {}, "drop_path": {"drop_path": 0.1}}, seeds=[0, 1])
    row = rows(runs).loc["drop_path"]
    assert row[["paper_acc1", "paper_delta", "paper_v100_hours", "sign_agrees"]].isna().all()


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"git": {"sha": "b" * 40, "dirty": None}}, "code"),
        ({"git": {"sha": "a" * 40, "dirty": "c" * 64}}, "code"),
        ({"git": {"sha": None, "dirty": None}}, "code"),
        ({"numerics": {"device": "cuda", "threads": 1}}, "numerics"),
        ({"versions": {"torch": "3.0"}}, "versions"),
    ],
)
def test_a_row_with_other_provenance_is_marked(runs: Runs, facts: Any, kind: str) -> None:
    write_ladder(runs, skip=(("ema", 2),))
    runs.done(ladder_cells()["ema"], 2, 97.0, **facts)
    differs = rows(runs)["differs"]
    assert differs["ema"] == kind
    assert (differs.drop("ema") == "").all()


def test_other_data_is_marked_unless_the_ablation_varies_data(runs: Runs) -> None:
    cells: dict[str, dict[str, Any]] = {
        "few": {"data.shots": 20},
        "many": {"data.shots": 40, "data.fingerprint": "ee" * 32},
        "all": {"data.shots": 0},
    }
    for values in cells.values():
        for seed in range(2):
            runs.done(values, seed, 96.0 + seed)
    runs.sweep("shots", cells, seeds=[0, 1])
    plain = rows(runs, Ablation("shots", "Shots"))
    asked = rows(runs, Ablation("shots", "Shots", knobs=("data.shots",), order="value"))
    assert plain["differs"].to_dict() == {"few": "", "many": "data", "all": ""}
    assert (asked["differs"] == "").all()
    assert list(asked["data.shots"]) == [0, 20, 40]


def test_trial_ids_lead_to_the_records(ladder: Ladder) -> None:
    for ids in rows(ladder.runs)["trials"]:
        assert len(ids.split()) == len(SEEDS)
        assert all((ladder.runs.folder / name / "result.json").exists() for name in ids.split())


def test_a_missing_sweep_names_its_command(runs: Runs) -> None:
    with pytest.raises(NotSweptError, match=r"python sweep.py -m sweeps=ladder"):
        cell_evidence(runs.frames(), LADDER)


def test_a_sweep_in_two_folders_gives_the_same_table(ladder: Ladder, tmp_path: Path) -> None:
    """Half of the trials lie in another folder, as after runs on two machines."""
    from clip_hparam import analysis

    first = Path(shutil.copytree(ladder.runs.folder, tmp_path / "first"))
    second = tmp_path / "second"
    second.mkdir()
    for path in sorted(first.glob("*/recipe.json"))[::2]:
        shutil.move(path.parent, second)
    expected = cell_evidence(ladder.runs.frames(), LADDER)
    pd.testing.assert_frame_equal(cell_evidence(analysis.load([second, first]), LADDER), expected)
