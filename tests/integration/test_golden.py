"""The official code's numbers, file by file and quantity by quantity, through training's own names.

$CLIP_HPARAM_GOLDEN is a folder of .npz files as tests/golden/README.md describes them.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.data.transforms.mixup import soft_targets
from clip_hparam.model.classifier import Classifier, freeze, resize_pos_embed
from clip_hparam.model.tower import create_tower
from clip_hparam.training.engine import train_step
from clip_hparam.training.factory import create_train_state
from clip_hparam.training.optim.param_groups import param_groups
from clip_hparam.training.train_state import TrainState

FOLDER = Path(os.environ.get("CLIP_HPARAM_GOLDEN", Path(__file__).parents[1] / "golden"))
FILES = sorted(FOLDER.glob("*.npz"))


@pytest.fixture(autouse=True)
def _float64_on_one_thread() -> Iterator[None]:
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class Run:
    """A trained model and its EMA, and the loss at each step."""

    fit: TrainState
    losses: list[float]

    def weights(self, which: int) -> dict[str, NDArray[np.float64]]:
        """Of the raw model (0) or of what is reported (-1: the EMA, where there is one)."""
        state = list(self.fit.eval_models.values())[which].state_dict()
        return {name: tensor.numpy() for name, tensor in state.items()}


class Golden:
    """One file, and what our code makes of its inputs, with one kind of kernels."""

    def __init__(self, path: Path, kernels: str) -> None:
        self.file = np.load(path)
        self.machine = Machine(device="cpu", kernels=kernels)
        self.config: dict[str, Any] = json.loads(str(self.file["config_json"]))

    def tensors(self, prefix: str) -> dict[str, NDArray[np.float64]]:
        return {
            name.removeprefix(prefix): self.file[name]
            for name in self.file
            if name.startswith(prefix)
        }

    @cached_property
    def recipe(self) -> Recipe:
        config = self.config
        return Recipe(
            **{name: config[name] for name in ("lr", "min_lr", "layer_decay", "weight_decay")},
            **{name: config[name] for name in ("epochs", "ema_decay", "label_smoothing")},
            warmup=config["warmup_epochs"] / config["epochs"],
            batch_size=config["batch_size"],
            freeze="patch" if config["freeze_patch_projection"] else "none",
            data=Data(epoch_images=config["steps_per_epoch"] * config["batch_size"]),
        )

    def model(self) -> Classifier:
        config = self.config
        vision = {name: config[name] for name in ("image_size", "patch_size", "width", "layers")}
        vision["head_width"] = config["width"] // config["heads"]
        tower = create_tower({"embed_dim": 1, "vision_cfg": vision, "quick_gelu": True})
        model = Classifier(tower, config["num_classes"], self.recipe.pool)
        init = {name: torch.from_numpy(value) for name, value in self.tensors("init/").items()}
        model.load_state_dict(init)
        freeze(model, self.recipe.freeze)
        return model

    @cached_property
    def run(self) -> Run:
        fit = create_train_state(self.recipe, self.machine, self.model())
        fit.model.train()
        losses = []
        for step, images in enumerate(self.file["train_images"]):
            labels = torch.from_numpy(self.file["train_labels"][step])
            targets = soft_targets(labels, self.config["num_classes"], self.recipe.label_smoothing)
            pixels = torch.from_numpy(images).double()
            losses.append(float(train_step(fit, step, pixels, targets)))
        return Run(fit, losses)


def logits(golden: Golden) -> None:
    model = create_train_state(golden.recipe, golden.machine, golden.model()).model
    with torch.no_grad():
        ours = model.eval()(torch.from_numpy(golden.file["images"]))
    np.testing.assert_allclose(ours.numpy(), golden.file["logits"], rtol=0, atol=1e-9)


def losses(golden: Golden) -> None:
    np.testing.assert_allclose(golden.run.losses, golden.file["losses"], rtol=0, atol=1e-9)


def schedule(golden: Golden) -> None:
    ours = create_train_state(golden.recipe, golden.machine, golden.model()).schedule
    np.testing.assert_allclose(ours, golden.file["schedule"], rtol=1e-12, atol=0)


def groups(golden: Golden) -> None:
    model, recipe = golden.model(), golden.recipe
    ours = param_groups(
        model.named_parameters(), len(model.blocks), recipe.layer_decay, recipe.weight_decay
    )
    official = json.loads(str(golden.file["groups_json"])).values()
    assert _by_rates(
        (group.lr_scale, group.weight_decay, list(group.parameters)) for group in ours
    ) == _by_rates(
        (group["lr_scale"], group["weight_decay"], group["params"]) for group in official
    )


def pos_embed_resized(golden: Golden) -> None:
    positions = torch.from_numpy(golden.file["init/positional_embedding"])
    ours = resize_pos_embed(positions, golden.config["resized_grid"])
    np.testing.assert_allclose(ours, golden.file["pos_embed_resized"], rtol=0, atol=1e-12)


def final(golden: Golden) -> None:
    _assert_weights(golden.run.weights(0), golden.tensors("final/"))


def ema(golden: Golden) -> None:
    _assert_weights(golden.run.weights(-1), golden.tensors("ema/"))


QUANTITIES: tuple[Callable[[Golden], None], ...] = (
    *(logits, losses, schedule, groups),
    *(pos_embed_resized, final, ema),
)


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def goldens(request: pytest.FixtureRequest) -> list[Golden]:
    """Return the file with the kernels of the towers, and with our own."""
    return [Golden(request.param, kernels) for kernels in ("reference", "fused")]


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.__name__)
def test_golden(goldens: list[Golden], quantity: Callable[[Golden], None]) -> None:
    for golden in goldens:
        quantity(golden)


def test_there_are_golden_files() -> None:
    assert FILES, f"no .npz in {FOLDER}"


def _by_rates(
    groups: Iterator[tuple[float, float, list[str]]],
) -> dict[tuple[float, float], list[str]]:
    """(lr_scale, weight_decay) -> names; without layer decay the official groups have no depth."""
    members: dict[tuple[float, float], list[str]] = {}
    for lr_scale, weight_decay, names in groups:
        members.setdefault((lr_scale, weight_decay), []).extend(names)
    return {rates: sorted(names) for rates, names in members.items()}


def _assert_weights(
    ours: dict[str, NDArray[np.float64]], official: dict[str, NDArray[np.float64]]
) -> None:
    assert ours.keys() == official.keys()
    for name, expected in official.items():
        np.testing.assert_allclose(ours[name], expected, rtol=0, atol=1e-8, err_msg=name)
