"""The page of ablations says what the records decide about the paper's steps and the recipe."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from support.trial_factory import MEANS, Runs, ladder_cells

from benchmarks import ablations
from clip_hparam.analysis.evidence.ablation_set import (
    DESIGNS,
    ablation_frames,
    knob_results,
    ladder_verdicts,
)
from clip_hparam.analysis.evidence.replicates import NotSweptError
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.report.ablations_page import page, write_ablations

SEEDS = range(3)
FULL = ladder_cells()["weak_aug"]
FREEZE = {"freeze=none": {**FULL, "freeze": "none"}, "freeze=patch": FULL}
EPOCHS = {"epochs=5": {**FULL, "epochs": 5}, "epochs=10": FULL}
LR = {"lr=0.1": {"lr": 0.1}, "lr=0.01": {"lr": 0.01}}
SOME = ("ladder", "freeze", "epochs", "lr")


@pytest.fixture
def recorded(runs: Runs) -> Runs:
    """Write a ladder whose step ema costs accuracy, and three designs of single knobs."""
    means = {**MEANS, "ema": 96.0}
    for number, (rung, values) in enumerate(ladder_cells().items()):
        for seed in SEEDS:
            noise = 3.0 * seed if rung == "fewer_epochs" else 0.01 * ((seed + number) % 3)
            runs.done(values, seed, means[rung] - noise, finished="2026-11-26T00:00Z")
    for mean, values in ((98.5, FREEZE["freeze=none"]), (97.0, EPOCHS["epochs=5"])):
        for seed in SEEDS:
            runs.done(values, seed, mean + 0.02 * seed)
    for mean, values in zip((90.0, 91.0), LR.values(), strict=True):
        for seed in SEEDS:
            runs.done(values, seed, mean)
    cells = {"ladder": ladder_cells(), "freeze": FREEZE, "epochs": EPOCHS, "lr": LR}
    for name, one in cells.items():
        runs.sweep(name, one, SEEDS)
    return runs


def test_steps_agree_disagree_or_are_undecided(recorded: Runs) -> None:
    frames = ablation_frames(recorded.frames(), "digits", SEEDS, SOME)
    verdicts = ladder_verdicts(frames).set_index("rung")["verdict"]
    assert verdicts["lower_lr"] == "agrees"
    assert verdicts["ema"] == "does not agree"
    assert verdicts["fewer_epochs"].startswith("cannot say")


def test_the_best_cell_of_a_knob_is_compared_with_the_recipe(recorded: Runs) -> None:
    frames = ablation_frames(recorded.frames(), "digits", SEEDS, SOME)
    found = {one.design: one for one in knob_results(frames)}
    assert found["freeze"].best == "freeze=none"
    assert found["freeze"].reference == "freeze=patch"
    assert found["freeze"].gain.mean == pytest.approx(0.63, abs=0.001)
    assert found["freeze"].verdict == "another value is better"
    assert found["epochs"].verdict == "the recipe's value is the best"
    assert (found["lr"].reference, found["lr"].best) == ("", "lr=0.01")


def test_page_figures_and_csv_are_written_of_all_designs(recorded: Runs, tmp_path: Path) -> None:
    some = ("ladder", "freeze", "lr")
    frames = ablation_frames(recorded.frames(), "digits", SEEDS, some)
    paths = write_ablations(frames, tmp_path)
    text = (tmp_path / "ablations.md").read_text()
    assert text == page(frames)
    assert "- Trials: 30 in 3 designs" in text
    assert "3 seeds: the interval of a difference is ± 4.3 standard errors" in text
    for link in re.findall(r"\]\((ablations/\w+\.png)\)", text):
        assert tmp_path / link in paths
        assert (tmp_path / link).read_bytes().startswith(b"\x89PNG")
    assert len(re.findall(r"!\[\w+\]", text)) == 3
    written = pd.read_csv(tmp_path / "ablations.csv")
    assert list(written["design"].unique()) == list(some)
    assert len(written) == 7 + 2 + 2


def test_what_was_typed_for_all_designs_is_said_once(recorded: Runs) -> None:
    frames = ablation_frames(recorded.frames(), "digits", SEEDS, SOME)
    typed = "(data=digits data.shots=9)"

    def titled(*endings: str) -> Frames:
        sweeps = [
            replace(sweep, title=f"{sweep.name}{ending}")
            for sweep, ending in zip(frames.sweeps, endings, strict=True)
        ]
        return frames._replace(sweeps=sweeps)

    same = page(titled(*[f" {typed}"] * len(SOME)))
    assert same.count("data.shots=9") == 1
    assert "- Typed for all cells: `data=digits data.shots=9`" in same
    assert "\n## Learning rate\n" in same
    different = page(titled("", *[f" {typed}"] * (len(SOME) - 1)))
    assert f"\n## Learning rate {typed}\n" in different


def test_the_page_has_no_seconds(recorded: Runs) -> None:
    text = page(ablation_frames(recorded.frames(), "digits", SEEDS, SOME))
    assert "| test accuracy, %" in text
    assert "cost, s" not in text


def test_a_page_with_a_missing_trial_or_design_is_refused(recorded: Runs) -> None:
    with pytest.raises(
        NotSweptError, match=r"layer_decay with data=digits .* type python sweep\.py"
    ):
        ablation_frames(recorded.frames(), "digits", SEEDS, DESIGNS)
    with pytest.raises(NotSweptError, match="ladder with data=fashion_mnist"):
        ablation_frames(recorded.frames(), "fashion_mnist", SEEDS, SOME)
    (recorded.done(FULL, 1, 90.0).folder / "result.json").unlink()
    with pytest.raises(ValueError, match="1 trial of ladder is not done: run the same command"):
        ablation_frames(recorded.frames(), "digits", SEEDS, SOME)


def test_the_script_writes_the_page_from_records_alone(
    recorded: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--read-only", "--data", "digits", "--runs", recorded.folder, "--out", tmp_path]
    monkeypatch.setattr(sys, "argv", ["ablations.py", *map(str, words), "--designs", "freeze"])
    ablations.main()
    assert "## Frozen parameters" in (tmp_path / "ablations.md").read_text()
    monkeypatch.setattr(sys, "argv", ["ablations.py", *map(str, words)])
    with pytest.raises(SystemExit, match="layer_decay with data=digits and these seeds is not on"):
        ablations.main()
