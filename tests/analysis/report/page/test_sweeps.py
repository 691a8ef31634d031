"""The charts of a sweep: verdicts with seeds to add, pairs of knobs, factorial paths."""

import numpy as np
import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.frames.frame import reported_values
from clip_hparam.analysis.report.page.sweeps import sweep_json

NOISE = np.array([0.05, -0.04, 0.02])


def write_cells(
    runs: Runs, name: str, cells: dict[str, dict[str, object]], gains: list[float], seeds: int = 3
) -> None:
    """Write a sweep; the noise of a cell is the same pattern over seeds, rotated by its number."""
    for number, (values, gain) in enumerate(zip(cells.values(), gains, strict=True)):
        for seed in range(seeds):
            noise = (1 + number) * NOISE[(seed + number) % 3]
            runs.done(values, seed, 95 + gain + float(noise))
    runs.sweep(name, cells, seeds=range(seeds))


def test_verdicts_count_seeds_that_are_missing_for_a_decision(runs: Runs) -> None:
    cells = {name: {"lr": lr} for name, lr in zip("abcd", (1e-3, 2e-3, 3e-3, 4e-3), strict=True)}
    write_cells(runs, "lr", cells, [0, 2, 0.05, 1])
    runs.planned({"lr": 5e-3})
    tree = sweep_json(runs.frames(), ablation_of(runs.frames(), "lr"))
    by_label = {cell["label"]: cell for cell in tree["cells"]}
    assert [by_label[name]["verdict"] for name in "abc"] == ["reference", "supported", "undecided"]
    assert by_label["c"]["more"] == tree["counts"]["more_seeds"] > 0
    assert 0 < by_label["c"]["power"] < 0.8
    assert tree["counts"]["supported"] == 2


def test_a_cell_with_a_missing_run_is_incomplete(runs: Runs) -> None:
    cells = {"a": {"lr": 1e-3}, "b": {"lr": 2e-3}}
    write_cells(runs, "lr", cells, [0, 1], seeds=2)
    runs.sweep("lr", cells, seeds=range(3))
    tree = sweep_json(runs.frames(), ablation_of(runs.frames(), "lr"))
    assert [cell["verdict"] for cell in tree["cells"]] == ["incomplete", "incomplete"]
    assert [cell["mean"] for cell in tree["cells"]] == [None, None]
    assert len(tree["cells"][0]["seeds"]) == 2


def test_one_seed_has_no_interval_over_seeds_and_no_seeds_to_add(runs: Runs) -> None:
    write_cells(runs, "lr", {"a": {"lr": 1e-3}, "b": {"lr": 2e-3}}, [0, 1], seeds=1)
    tree = sweep_json(runs.frames(), ablation_of(runs.frames(), "lr"))
    assert tree["images"]
    assert tree["counts"]["more_seeds"] is None
    assert tree["map"] is None


def test_undistinguished_pairs_of_two_knobs_are_marked(runs: Runs) -> None:
    levels = [(lr, decay) for lr in (1e-3, 1e-2) for decay in (0.5, 1.0)]
    cells = {f"lr={lr},layer_decay={d}": {"lr": lr, "layer_decay": d} for lr, d in levels}
    write_cells(runs, "pairs", cells, [0, 3, 2.98, 1])
    tree = sweep_json(runs.frames(), ablation_of(runs.frames(), "pairs"))
    assert set(tree["map"]["knobs"]) == {"lr", "layer_decay"}
    assert tree["map"]["levels"] in (
        [["0.001", "0.01"], ["0.5", "1"]],
        [["0.5", "1"], ["0.001", "0.01"]],
    )
    pairs = sorted(tree["map"]["pairs"], key=lambda pair: pair["mean"])
    assert [pair["apart"] for pair in pairs] == [True, True, False, None]
    assert [pair["chosen"] for pair in pairs] == [False, False, False, True]


def test_paths_of_a_full_factorial_end_at_the_same_cell(runs: Runs) -> None:
    on = {"lr": {"lr": 1e-2}, "mixup": {"mixup": 0.5}}
    cells = {"none": {}, "lr": on["lr"], "mixup": on["mixup"], "lr+mixup": on["lr"] | on["mixup"]}
    write_cells(runs, "factorial", cells, [0, 1, 0.4, 2])
    frames = runs.frames()
    path = sweep_json(frames, ablation_of(frames, "factorial"))["path"]
    assert [step["label"] for step in path["greedy"]] == ["lr", "mixup"]
    accuracy = reported_values(frames.trials).set_axis(frames.trials["trial_id"])
    (manifest,) = frames.sweeps
    last = accuracy[list(manifest.cells[-1].trials.values())].mean()
    assert path["greedy"][-1]["mean"] == pytest.approx(last, abs=1e-3)
    total = path["start"] + sum(gain["gain"][0] for gain in path["average"])
    assert total == pytest.approx(last, abs=1e-3)
