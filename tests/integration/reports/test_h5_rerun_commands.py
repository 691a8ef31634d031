"""`why`, the report and `retry` print commands that run exactly the recorded trial.

Before, `why` spelled the hashed knobs only: without data.root, data.shift_root and machine.runs the
command failed, and without encoder.pretrained it ran another trial with exit code 0.
"""

import json
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from support.cli import ROOT, clip_hparam, records, sweep
from support.image_folders import grow

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.identity import canonical, trial_id
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record, trial_ids

BEFORE = ROOT / "tests" / "data" / "runs_before_layout" / "records"
PHOTOS = ("data=folder", "data.root='my photos'", "data.shots=3", "data.selection=2")
SHORT = ("epochs=1", "data.epoch_images=4", "batch_size=2")


def again(trial: str, cwd: Path, *words: str) -> tuple[list[str], list[str]]:
    """Return the overrides of the command that `why` prints, and what it does not know."""
    done = clip_hparam("why", trial, "--json", *words, cwd=cwd)
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    in_checkout = (cwd / "sweep.py").is_file()
    program = ["python", "sweep.py"] if in_checkout else ["clip-hparam", "sweep"]
    assert shlex.split(facts["rerun"])[:2] == program
    return shlex.split(facts["rerun"])[2:], facts["unknown"]


def id_of(words: Iterable[str], cwd: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(cwd)
    return trial_id(resolve(compose_recipe(list(words))))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a trial on a folder from a weights file with a shift folder, and a grid of two seeds."""
    folder = tmp_path_factory.mktemp("trained")
    grow(folder / "my photos", {"cat": 12, "dog": 12})
    grow(folder / "sketch", {"cat": 3, "dog": 3})
    torch.save(tiny_clip.load_weights(), folder / "weights, v2.pt")
    places = ("encoder.pretrained='weights, v2.pt'", "data.shift=folder", "data.shift_root=sketch")
    single = sweep(*PHOTOS, *SHORT, *places, "lr=2e-3", "machine.runs=out", cwd=folder)
    assert single.code == 0, single.err
    grid = sweep("-m", *PHOTOS, *SHORT, "lr=1e-3,3e-3", "seeds=2", "hydra/launcher=inline",
                 "machine.runs=out", cwd=folder)  # fmt: skip
    assert grid.code == 0, grid.err
    return folder


def test_command_of_why_runs_the_same_trial_from_any_folder(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for runs, cwd in ((Path("out"), trained), (trained / "out", tmp_path)):
        for name in trial_ids(trained / "out"):
            words, unknown = again(name, cwd, "--runs", str(runs))
            assert unknown == []
            assert id_of(words, cwd, monkeypatch) == name
            assert f"machine.runs={runs}" in words
            assert len(words) < 14, words


def test_command_repeats_the_typed_overrides(trained: Path) -> None:
    single = next(r for r in (trained / "out").glob("*/log.txt") if "lr=2e-3" in label_of(r))
    words, _ = again(single.parent.name, trained, "--runs", "out")
    assert words[:4] == [*PHOTOS]
    assert "lr=2e-3" in words


def label_of(file: Path) -> str:
    return str(json.loads((file.parent / "recipe.json").read_text())["label"])


def test_data_and_weights_that_are_gone_are_named_and_never_replaced(
    trained: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained / "out", tmp_path / "out")
    (trained / "my photos").rename(trained / "moved")
    try:
        name = next((tmp_path / "out").glob("*/recipe.json")).parent.name
        words, unknown = again(name, trained, "--runs", str(tmp_path / "out"))
        assert "my photos is not a folder" in unknown[0]
        refused = sweep(*words, cwd=trained)
        assert (refused.code, refused.out) == (2, "")
    finally:
        (trained / "moved").rename(trained / "my photos")
    record = next(r for r in (tmp_path / "out").glob("*/recipe.json") if "weights" in label_of(r))
    status = json.loads((record.parent / "status.json").read_text())
    (record.parent / "status.json").write_text(
        json.dumps(status | {"places": {"data.shift_root": "sketch"}, "overrides": list(PHOTOS)})
    )
    words, unknown = again(record.parent.name, trained, "--runs", str(tmp_path / "out"))
    assert any("encoder.pretrained" in sentence for sentence in unknown)
    refused = sweep(*words, cwd=trained)
    assert refused.code == 2
    assert "encoder.weights" in refused.err


def test_commands_of_old_records_have_their_trial_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = sorted(path.parent.name for path in BEFORE.glob("*/recipe.json"))
    assert len(ids) > 8
    for name in ids:
        words, unknown = again(name, ROOT, "--runs", str(BEFORE))
        assert unknown == []
        assert id_of(words, ROOT, monkeypatch) == name
        assert len(words) < 14, words


VALUES = [
    {},
    {"lr": 3.14159e-4, "ema_decay": 0.0, "seed": 7},
    {"ema_decay": 0.98, "resolution": 48, "epochs": 3},
    {"rand_augment": "rand-m9-mstd0.5-inc1", "hflip": 0.5, "augment_backend": "timm"},
    {"data.epoch_images": 100, "data.shots": 0, "data.selection": 0.1},
    {"encoder.pretrained": "random", "pool": "cls", "freeze": "first_3"},
    {"head_init": "zero_shot", "pool": "clip", "encoder.pixels": "imagenet"},
    {"min_lr": 0.0, "eps": 1e-7, "beta2": 0.99999, "weight_decay": 1.0, "clip_grad": 1.0},
]


@pytest.mark.parametrize("typed", [(), ("recipe=llrd", "lr=0.5"), ("recipe=gone", "gone=1")])
def test_knobs_that_were_not_typed_or_have_changed_are_added(
    typed: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for values in VALUES:
        spec = TrialSpec(resolve(with_values(Recipe(), values)), Machine(), overrides=typed)
        record = Record(tmp_path / "runs", spec.trial_id)
        record.write_recipe(canonical(spec.recipe), spec.label)
        record.write_status("failed", overrides=list(typed), places=spec.places)
        words, unknown = again(spec.trial_id, tmp_path)
        assert unknown == []
        assert id_of(words, tmp_path, monkeypatch) == spec.trial_id


def test_start_line_and_label_hold_what_was_typed(trained: Path) -> None:
    labels = [label_of(path) for path in (trained / "out").glob("*/recipe.json")]
    assert any("lr=2e-3" in text and "data.shots=3" in text for text in labels)
    assert any("lr=0.003" in text and "seed=1" in text for text in labels)
    assert not any("machine.runs" in text for text in labels)
    assert records(trained) == []


def test_a_folder_whose_name_is_a_number_stays_as_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(tmp_path / "2024", {"cat": 12, "dog": 12})
    typed = ("data=folder", "data.root=2024", *PHOTOS[2:], *SHORT)
    done = sweep(*typed, cwd=tmp_path)
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    words, unknown = again(record.trial_id, tmp_path)
    assert unknown == []
    assert len(words) == len(typed)
    assert id_of(words, tmp_path, monkeypatch) == record.trial_id
