"""The label of a trial holds the typed overrides, wherever people read it.

Before, it held knobs that nobody typed, and left out those that were typed at a default of the
dataclass: 35 trials of a report were called "lr=0.01,batch_size=25,...".
"""

import json
from pathlib import Path

import pytest
from support.cli import ROOT, clip_hparam, records, sweep
from support.report_data import report_column

from clip_hparam.analysis import load
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve

TYPED = ("lr=1e-3", "layer_decay=1", "data.shots=5", "epochs=1", "data.epoch_images=100", "seed=3")
LABEL = ",".join(TYPED)


def test_label_of_a_trial_is_what_was_typed_everywhere(tmp_path: Path) -> None:
    done = sweep(*TYPED, "keep_checkpoints=last", "machine.threads=2", cwd=tmp_path)
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    assert done.out.splitlines()[0] == f"trial {record.trial_id}  {LABEL}"
    assert (record.recipe() or {})["label"] == LABEL
    why = clip_hparam("why", record.trial_id, cwd=tmp_path).out
    assert why.splitlines()[0] == f"{record.trial_id} is done  ({LABEL})"
    assert load(tmp_path / "runs").trials["label"].to_list() == [LABEL]


def test_trials_of_a_grid_and_of_a_search_have_labels_of_their_own(tmp_path: Path) -> None:
    small = ("epochs=1", "data.epoch_images=100", "data.shots=3", "freeze=backbone")
    grid = sweep("-m", *small, "lr=1e-3,1e-2", "seeds=2", "recipe=llrd",
                 "hydra/launcher=inline", cwd=tmp_path)  # fmt: skip
    assert grid.code == 0, grid.err
    search = sweep("-m", *small, "hydra.sweeper.n_trials=2", "seeds=1", "hydra.sweeper.pruner=none",
                   "lr=interval(1e-3,1e-2)", "hydra/launcher=inline", "workers=1",
                   cwd=tmp_path)  # fmt: skip
    assert search.code == 0, search.err
    labels = load(tmp_path / "runs").trials["label"].to_list()
    assert len(set(labels)) == len(labels) >= 5
    assert sum(label.startswith("epochs=1,data.epoch_images=100") for label in labels) >= 4
    assert sum("recipe=llrd" in label and "seed=1" in label for label in labels) == 2
    for line in clip_hparam("report", cwd=tmp_path).out.splitlines():
        assert set(report_column((tmp_path / line).read_text(), "label")) == set(labels)


def test_labels_of_old_records_stay(tmp_path: Path) -> None:
    old = ROOT / "tests" / "data" / "runs_before_layout" / "records"
    recorded = {
        path.parent.name: json.loads(path.read_text())["label"]
        for path in old.glob("*/recipe.json")
    }
    trials = load(old).trials
    assert dict(zip(trials["trial_id"], trials["label"], strict=True)) == recorded


@pytest.mark.parametrize(
    ("overrides", "label"),
    [
        (
            ("data=folder", "data.root='my photos'", "lr=1"),
            "data=folder,lr=1,data.root='my photos'",
        ),
        (("machine.runs=x", "eval_test=epoch", "min_lr=${lr}"), "min_lr=${lr}"),
        (
            ("encoder.pretrained=w.pt", "encoder=clip_b16"),
            "encoder=clip_b16,encoder.pretrained=w.pt",
        ),
        (("+lr=1", "hydra/launcher=inline"), "+lr=1"),
    ],
)
def test_places_come_last_and_machine_is_left_out(overrides: tuple[str, ...], label: str) -> None:
    spec = TrialSpec(resolve(Recipe()), Machine(), overrides=overrides)
    assert spec.label == label
    assert TrialSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert "batch_size" not in label
    assert TrialSpec(resolve(Recipe(lr=0.5))).label.startswith("lr=0.5")
