"""Images from another source (data.shift) are evaluated and searched for, never trained on."""

import operator
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support.cli import SHORT, plan, records, sweep
from support.image_folders import grow

from clip_hparam.config.identity import trial_id
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Recipe, with_values
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.evaluation import evaluate
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.metrics.registry import METRICS

PRINTED = "data.shift=printed"


def test_halves_of_printed_digits_are_disjoint_and_balanced() -> None:
    eval_sets = load_dataset(Data(shift="printed")).eval_sets
    assert list(eval_sets) == ["test", "selection_shift", "test_shift"]
    halves = [eval_sets[name] for name in ("selection_shift", "test_shift")]
    for half in halves:
        assert isinstance(half.images, np.ndarray)
        assert list(np.bincount(half.labels)) == [20] * 10
        assert half.allowed_classes is not None
        assert half.allowed_classes.all()
    assert len({image.tobytes() for half in halves for image in half.images}) == 400


def test_shift_adds_its_columns_and_changes_no_other_column(tmp_path: Path) -> None:
    for more in ((), (PRINTED,)):
        done = sweep(
            "lr=3e-3", "ema_decay=0.5", "keep_checkpoints=last", *SHORT, *more, cwd=tmp_path
        )
        assert done.code == 0, done.err
    results = {
        (record.recipe() or {})["recipe"]["data"]["shift"]: (record.result() or {})["metrics"]
        for record in records(tmp_path)
    }
    plain, both = results["none"], results["printed"]
    assert plain == {name: both[name] for name in plain}
    more = {
        f"{half}_shift_{measure}.{weights}.{rule}"
        for half in ("selection", "test")
        for measure in ("acc1", "acc5", "loss", *METRICS)
        for weights in ("raw", "ema")
        for rule in ("selected", "last")
    }
    assert both.keys() - plain.keys() == more
    recipe = resolve(with_values(Recipe(), {"data.shift": "printed"}))
    (folder,) = (one.folder for one in records(tmp_path) if "shift" in str(one.result()))
    model = create_model(recipe, 10)
    model.load_state_dict(load_file(folder / "last.safetensors"))
    images = load_dataset(recipe.data)
    right = total = 0
    with torch.no_grad():
        for pixels, labels in Batches(recipe, images).evaluation("test_shift"):
            right += int((model.eval()(pixels).argmax(1) == labels).sum())
            total += len(labels)
    assert total == 200
    assert both["test_shift_acc1.ema.last"] == pytest.approx(100 * right / total)


def test_trial_id_depends_on_the_shift_images_not_on_their_path(tmp_path: Path) -> None:
    grow(tmp_path / "photos", {"cat": 6, "cow": 6, "dog": 6})
    trees = [tmp_path / name for name in ("sketches", "moved", "others")]
    for tree, images in zip(trees, (2, 2, 3), strict=True):
        grow(tree, {"cow": images, "cat": images})
    base = {"data.name": "folder", "data.root": str(tmp_path / "photos"), "data.selection": 1.0}
    base |= {"data.shots": 2, "batch_size": 2}
    recipe = with_values(Recipe(), base)
    shifted = {"data.shift": "folder"}
    ids = [
        trial_id(resolve(with_values(recipe, {**shifted, "data.shift_root": str(tree)})))
        for tree in trees
    ]
    assert ids[0] == ids[1]
    assert len({*ids, trial_id(resolve(recipe))}) == 3


def test_predictions_are_restricted_to_the_classes_of_the_shift(tmp_path: Path) -> None:
    grow(tmp_path / "photos", {"cat": 6, "cow": 6, "dog": 6})
    grow(tmp_path / "sketches", {"cat": 8, "dog": 8})
    values = {
        "data.name": "folder", "data.root": str(tmp_path / "photos"), "data.selection": 1.0,
        "data.shots": 2, "batch_size": 2, "data.shift": "folder",
        "data.shift_root": str(tmp_path / "sketches"),
    }  # fmt: skip
    recipe = resolve(with_values(Recipe(), values))
    batches = Batches(recipe, load_dataset(recipe.data))
    allowed = batches.eval_sets["test_shift"].allowed_classes
    assert allowed is not None
    assert allowed.tolist() == [True, False, True]
    assert batches.eval_sets["test"].allowed_classes is None
    fit = create_train_state(recipe, Machine(device="cpu"), create_model(recipe, 3))

    class Sure(torch.nn.Module):
        """Predicts the class that is not in the shift, then the first class."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[1.0, 2.0, 0.0]]).expand(len(images), 3)

    scores = [
        evaluate(Sure(), batches.evaluation("test_shift"), fit, mask)
        for mask in (torch.from_numpy(allowed), None)
    ]
    assert [(score.acc1, score.acc5) for score in scores] == [(50.0, 100.0), (0.0, 100.0)]
    assert scores[0].loss == pytest.approx(np.log1p(np.exp(-1)) + 0.5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data.shift=sketches"], "is not one of none, printed, folder"),
        (["data.shift=folder"], "try data.shift=printed"),
        (["data=folder", "data.root={photos}", PRINTED], "try data.shift=folder"),
        (["data=folder", "data.root={photos}", "data.shift=folder"], "data.shift_root is not set"),
        (
            ["data=folder", "data.root={photos}", "data.shift=folder", "data.shift_root={nope}"],
            "is not a folder",
        ),
        (
            ["data=folder", "data.root={photos}", "data.shift=folder", "data.shift_root={odd}"],
            "did you mean cow",
        ),
        (
            ["data=folder", "data.root={photos}", "data.shift=folder", "data.shift_root={few}"],
            "holds one image, and a class needs two",
        ),
        (
            ["-m", "lr=1e-3,1e-2", "hydra.sweeper.objective=selection_shift_acc1",
             "hydra.sweeper.n_trials=2"],
            "and data.shift=none: try data.shift=printed",
        ),
        (
            ["-m", "lr=1e-3,1e-2", "hydra.sweeper.objective=test_shift_acc1",
             "hydra.sweeper.n_trials=2"],
            "the test set is not used for selection",
        ),
    ],
)  # fmt: skip
def test_wrong_shift_exits_with_one_sentence(
    words: list[str], message: str, tmp_path: Path
) -> None:
    places = {name: tmp_path / name for name in ("photos", "odd", "few", "nope")}
    grow(places["photos"], {"cat": 30, "cow": 30})
    grow(places["odd"], {"cows": 2, "cat": 2})
    grow(places["few"], {"cow": 1})
    dry_run = ("dry_run=true",) if "-m" in words else ()
    done = plan(*(word.format(**places) for word in words), *dry_run, cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert message in done.err


def test_search_for_both_accuracies_prints_their_pareto_front(tmp_path: Path) -> None:
    words = ("-m", "lr=tag(log,interval(1e-4,1e-1))", PRINTED, "hydra.sweeper.n_trials=4")
    both = "hydra.sweeper.objective=[selection_acc1,selection_shift_acc1]"
    done = sweep(*words, both, *SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    points = {
        tuple(
            one["metrics"][f"{name}.{one['selected_weights']}.selected"]
            for name in ("selection_acc1", "selection_shift_acc1")
        )
        for one in (record.result() or {} for record in records(tmp_path))
    }
    front = {
        one for one in points if not any(o != one and all(map(operator.ge, o, one)) for o in points)
    }
    lines = done.out.partition("Pareto front")[2]
    rows = re.findall(r"^ *\d+ +([\d.]+) +([\d.]+) ", lines, re.MULTILINE)
    assert {tuple(map(float, row)) for row in rows} == front
