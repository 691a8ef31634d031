"""A trial's weights in use: export, predict and evaluate give the numbers of its record."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from support.cli import clip_hparam, records, sweep

from clip_hparam.data.digits import load_digits
from clip_hparam.records.record import Record
from clip_hparam.weights.models.export import load_export
from clip_hparam.weights.models.trained_model import load_trial

SWEEP = ("-m", "pool=patch_mean,clip", "seeds=2", "name=winner", "epochs=2", "resolution=48")
SMALL = ("data.epoch_images=100", "ema_decay=0.5", "keep_checkpoints=best")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a sweep of two cells and two seeds, whose weights were kept."""
    path = tmp_path_factory.mktemp("winner")
    done = sweep(*SWEEP, *SMALL, cwd=path)
    assert done.code == 0, done.err
    return path


@pytest.fixture(scope="module")
def exported(folder: Path) -> Path:
    done = clip_hparam("export", "winner/pool=patch_mean", "--to", "model", cwd=folder)
    assert done.code == 0, done.err
    return folder / "model"


def images_of(folder: Path, count: int) -> list[Path]:
    """Write the first test images of the digits as files."""
    pixels = load_digits().test.images
    assert isinstance(pixels, np.ndarray)
    (folder / "sub").mkdir(parents=True)
    files = [folder / "sub" / f"{index:02}.png" for index in range(count)]
    for file, image in zip(files, pixels, strict=False):
        Image.fromarray(image[0]).save(file)
    return files


def test_the_best_seed_on_the_selection_set_is_exported_and_named(
    folder: Path, exported: Path
) -> None:
    facts = json.loads((exported / "clip_hparam.json").read_text())
    same = [one for one in records(folder) if one.recipe()["recipe"]["pool"] == "patch_mean"]
    ranked = sorted(same, key=lambda one: selection_rank(one), reverse=True)
    assert facts["trial_id"] == ranked[0].trial_id
    card = (exported / "README.md").read_text()
    assert f"(trial {facts['trial_id']}), the best of 2 seeds on the selection set" in card
    assert "Cell pool=patch_mean of sweep winner" in card
    assert "95 % t interval" in card
    assert facts["weights"] == "ema"
    metrics = (ranked[0].result() or {})["metrics"]
    assert facts["metrics"] == {
        name: value for name, value in metrics.items() if name.endswith(".ema.selected")
    }
    assert f"{metrics['test_acc1.ema.selected']:.2f}" in card


def selection_rank(record: Record) -> tuple[float, float]:
    metrics = (record.result() or {})["metrics"]
    return metrics["selection_acc1.ema.selected"], -metrics["selection_loss.ema.selected"]


@torch.no_grad()
def test_export_has_the_logits_of_the_trial_in_timm_and_here(folder: Path, exported: Path) -> None:
    facts = json.loads((exported / "clip_hparam.json").read_text())
    trained = load_trial(Record(folder / "runs", facts["trial_id"]))
    images = torch.randn(3, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    expected = trained.module(images)
    assert torch.equal(load_export(exported).module(images), expected)
    loaded = timm.create_model(f"local-dir:{exported}", pretrained=True).eval()
    torch.testing.assert_close(loaded(images), expected, atol=1e-5, rtol=1e-5)


def test_evaluation_repeats_the_record_for_every_source(folder: Path, exported: Path) -> None:
    trial = json.loads((exported / "clip_hparam.json").read_text())["trial_id"]
    sources = (trial, "model", f"runs/{trial}/best.safetensors", "timm:local-dir:model")
    done = clip_hparam("evaluate", *sources, "data=digits", "--json", cwd=folder)
    assert done.code == 0, done.err
    metrics = (Record(folder / "runs", trial).result() or {})["metrics"]
    rows = json.loads(done.out)
    for row in rows:
        weights = "raw" if row["weights"].startswith("timm") else "ema"
        for name in ("test_acc1", "test_acc5", "test_loss"):
            value = row["metrics"][f"{name}.{weights}.selected"]
            assert value == pytest.approx(metrics[f"{name}.ema.selected"], abs=1e-4), row
    first = json.loads((folder / rows[0]["file"]).read_text())
    assert (first["kind"], first["parents"][0]["trial_id"]) == ("evaluation", trial)
    assert len({row["file"] for row in rows}) == 2  # the same weights are one result
    assert clip_hparam("evaluate", trial, cwd=folder).out.startswith(f"{trial}: test acc1 ")


def test_zero_shot_clip_is_a_row(folder: Path) -> None:
    done = clip_hparam("evaluate", "open_clip:tiny:tiny", "data=digits", "--json", cwd=folder)
    (row,) = json.loads(done.out)
    assert row["metrics"]["test_acc1.raw.selected"] > 30
    (folder / "names.txt").write_text("\n".join("9876543210"))
    words = ("open_clip:tiny:tiny", "data=digits", "data.class_names=names.txt", "--json")
    done = clip_hparam("evaluate", *words, cwd=folder)
    assert done.code == 0, done.err
    (renamed,) = json.loads(done.out)
    assert renamed["metrics"]["test_acc1.raw.selected"] < 30
    assert renamed["file"] != row["file"]


def test_predictions_of_a_folder(folder: Path, exported: Path, tmp_path: Path) -> None:
    files = images_of(tmp_path / "images", 6)
    (tmp_path / "images" / "sub" / "bad.png").write_bytes(b"no image")
    words = (str(exported), str(tmp_path / "images"))
    done = clip_hparam("predict", *words, "--runs", folder / "runs", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "bad.png cannot be read as an image" in done.err
    header, *rows = list(csv.reader(done.out.splitlines()))
    assert header[:4] == ["file", "predicted", "probability", "p.0"]
    assert [row[0] for row in rows] == [f"sub/{file.name}" for file in files]
    for row in rows:
        probabilities = list(map(float, row[3:]))
        assert sum(probabilities) == pytest.approx(1, abs=1e-4)
        assert float(row[2]) == max(probabilities)
        assert row[1] == str(int(np.argmax(probabilities)))
    out = tmp_path / "top.csv"
    clip_hparam("predict", *words, "--top", "2", "--out", out, cwd=tmp_path)
    header, *top = list(csv.reader(out.read_text().splitlines()))
    assert header == ["file", "class_1", "p_1", "class_2", "p_2"]
    assert [row[1] for row in top] == [row[1] for row in rows]


def test_pool_clip_is_exported_without_a_file_for_timm(folder: Path) -> None:
    done = clip_hparam("export", "winner/pool=clip", "--to", "clip_model", cwd=folder)
    assert done.code == 0, done.err
    assert not (folder / "clip_model" / "model.safetensors").exists()
    trial = json.loads((folder / "clip_model" / "clip_hparam.json").read_text())["trial_id"]
    images = torch.randn(2, 3, 48, 48)
    trained = load_trial(Record(folder / "runs", trial))
    assert torch.equal(load_export(folder / "clip_model").module(images), trained.module(images))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("export", "winner", "--to", "runs"), "runs is there already: name another folder"),
        (("export", "winnr", "--to", "x"), "no cell or trial is called winnr"),
        (
            ("predict", "nothing", "runs"),
            "nothing is neither a trial in runs nor a file: name a trial",
        ),
        (("predict", "open_clip:tiny:tiny", "runs"), "open_clip:tiny:tiny needs class names"),
        (("predict", "open_clip:tiny", "runs"), "open_clip:tiny names no weights: type open_clip"),
        (("predict", "timm:vit_nothing", "runs"), "timm:vit_nothing cannot be loaded"),
        (("evaluate", "data=digits"), "no weights are named: name a trial"),
        (("evaluate", "open_clip:tiny:tiny"), "open_clip:tiny:tiny is not a trial in runs, so its"),
        (("evaluate", "open_clip:tiny:tiny", "data=digit"), "unknown data=digit"),
    ],
)
def test_mistakes_are_one_sentence(words: tuple[str, ...], sentence: str, folder: Path) -> None:
    done = clip_hparam(*words, cwd=folder)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert done.err.startswith(sentence)


def test_model_without_images_or_with_other_classes_is_refused(
    folder: Path, exported: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = clip_hparam("predict", str(exported), "empty", cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith("empty holds no image that can be read")
    other = clip_hparam("evaluate", "model", "data=characters", cwd=folder)
    assert other.code == 2
    assert other.err.startswith("model has 10 classes")


def test_message_about_missing_weights_has_the_command_that_makes_them(tmp_path: Path) -> None:
    done = sweep("epochs=1", "data.epoch_images=100", cwd=tmp_path)
    assert done.code == 0
    (record,) = records(tmp_path)
    refused = clip_hparam("export", record.trial_id, "--to", "model", cwd=tmp_path)
    assert refused.code == 2
    assert "has kept no weights: run it again with keep_checkpoints=best replay=true" in refused.err
    assert not (tmp_path / "model").exists()
