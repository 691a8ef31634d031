"""No silent knob: for each knob, an observation of its effect changes with its value.

The official code ignores --drop_path and seven other flags; a sweep over one of them would plot
noise as an ablation.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from clip_hparam.config.identity import trial_id
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, knobs, with_values
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.model.tuning.plain_weights import plain_weights
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.device.numerics import matmul_precision_of
from clip_hparam.training.engine import train_epoch
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.train_state import TrainState

SHORT = {"epochs": 2, "data.epoch_images": 100, "data.selection": 2.0, "warmup": 0.0}
RAND_AUGMENT = {"rand_augment": "rand-m9-mstd0.5-inc1"}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def fit(recipe: Recipe) -> TrainState:
    classes = len(load_dataset(recipe.data).classes)
    return create_train_state(recipe, Machine(device="cpu"), create_model(recipe, classes))


def batches(recipe: Recipe) -> Batches:
    return Batches(recipe, load_dataset(recipe.data))


def first_images(recipe: Recipe) -> Tensor:
    return next(batches(recipe).train(0))[0]


def first_targets(recipe: Recipe) -> Tensor:
    return next(batches(recipe).train(0))[1]


def evaluated_images(recipe: Recipe) -> Tensor:
    return next(batches(recipe).evaluation("selection"))[0]


def evaluated_count(recipe: Recipe) -> int:
    return sum(len(labels) for _, labels in batches(recipe).evaluation("selection"))


def schedule(recipe: Recipe) -> Any:
    return fit(recipe).schedule


def peak_lr(recipe: Recipe) -> float:
    return float(fit(recipe).schedule.max())


def last_lr(recipe: Recipe) -> float:
    return float(fit(recipe).schedule[-1])


def steps_to_peak(recipe: Recipe) -> int:
    return int(fit(recipe).schedule.argmax())


def lowest_lr_scale(recipe: Recipe) -> float:
    return min(float(group["lr_scale"]) for group in fit(recipe).optimizer.param_groups)


def of_optimizer(name: str) -> Callable[[Recipe], Any]:
    return lambda recipe: [group[name] for group in fit(recipe).optimizer.param_groups]


def trained(which: int) -> Callable[[Recipe], Tensor]:
    """Return a function that trains two steps: raw weights (0), or the reported ones (-1)."""

    def weights(recipe: Recipe) -> Tensor:
        one = fit(recipe)
        train_epoch(one, batches(recipe), 0, recipe.seed)
        model = list(one.eval_models.values())[which]
        return torch.cat([tensor.flatten() for tensor in model.state_dict().values()])

    return weights


def plain_after_training(recipe: Recipe) -> Tensor:
    """Return the weights that are kept after two steps, with all updates merged."""
    one = fit(recipe)
    train_epoch(one, batches(recipe), 0, recipe.seed)
    kept = plain_weights(one.model, one.model.state_dict())
    return torch.cat([kept[name].flatten() for name in sorted(kept)])


def trainable_or_scaled(recipe: Recipe) -> list[tuple[str, bool]]:
    return [(name, one.requires_grad) for name, one in fit(recipe).model.named_parameters()]


def trainable(recipe: Recipe) -> list[str]:
    named = fit(recipe).model.named_parameters()
    return [name for name, parameter in named if parameter.requires_grad]


def drop_rates(recipe: Recipe) -> list[float]:
    return [path.rate for path in fit(recipe).model.drop_paths]


def features(recipe: Recipe) -> Tensor:
    model = fit(recipe).model.eval()
    return model.features(model.tokens(evaluated_images(recipe))).detach()


def head(recipe: Recipe) -> Tensor:
    return fit(recipe).model.head.weight.detach()


def block_weights(recipe: Recipe) -> Tensor:
    return fit(recipe).model.blocks[0].get_parameter("mlp.c_fc.weight").detach()


def positions(recipe: Recipe) -> int:
    return len(fit(recipe).model.positional_embedding)


def logits_dtype(recipe: Recipe) -> str:
    one = fit(recipe)
    with one.autocast():
        return str(one.model(first_images(recipe)).dtype)


def classes(recipe: Recipe) -> tuple[str, ...]:
    return load_dataset(recipe.data).classes


def draws(recipe: Recipe) -> int | str:
    return recipe.data.epoch_images


def steps(recipe: Recipe) -> int:
    return batches(recipe).steps


def shifted_images(recipe: Recipe) -> list[float]:
    """Return the mean of each batch of data.shift; empty without data.shift."""
    if recipe.data.shift == "none":
        return []
    return [float(images.mean()) for images, _ in batches(recipe).evaluation("test_shift")]


def images_trained_on(recipe: Recipe) -> int:
    """Return the number of training images; 0 if the plan is refused."""
    try:
        return len(load_dataset(resolve(recipe).data).train)
    except ValueError:
        return 0


def pictures(name: str, seed: int = 0) -> Callable[[Path], str]:
    """Return a function that writes a folder of two classes, named after `name`, of 12 images."""

    def made(folder: Path) -> str:
        generator = np.random.default_rng(seed)
        root = folder / f"{name}_{seed}"
        for label in (f"{name}_a", f"{name}_b"):
            (root / label).mkdir(parents=True, exist_ok=True)
            for index in range(12):
                pixels = generator.integers(256, size=(20, 24, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / label / f"{index}.png")
        return str(root)

    return made


def listed(*names: str) -> Callable[[Path], str]:
    """Return a function that writes a list of classes and returns its path."""

    def write(folder: Path) -> str:
        path = folder / f"{'-'.join(names)}.txt"
        path.write_text("\n".join(names))
        return str(path)

    return write


def broken_pictures(folder: Path) -> str:
    """Write the folders train and test; one of the training images is no image."""
    for part in ("train", "test"):
        (folder / "broken" / part).mkdir(parents=True, exist_ok=True)
        made = Path(pictures("x")(folder / part))
        shutil.copytree(made, folder / "broken" / part, dirs_exist_ok=True)
    (folder / "broken" / "train" / "x_a" / "0.png").write_bytes(b"no image")
    return str(folder / "broken")


@dataclass(frozen=True)
class Case:
    """A knob, an observation that must differ between its values, and the other knobs.

    values: a value may be a function that writes a folder and returns its path.
    resolved: whether the observation takes the resolved recipe.
    """

    knob: str
    values: tuple[Any, ...]
    sees: Callable[[Recipe], Any]
    beside: Mapping[str, Any] = field(default_factory=dict)
    resolved: bool = True


def divided_pictures(folder: Path) -> str:
    """Write the folders train and test with the classes x_a and x_b in each."""
    for name in ("train", "test"):
        shutil.copytree(pictures("x")(folder), folder / "divided" / name, dirs_exist_ok=True)
    return str(folder / "divided")


ZERO_SHOT = {"pool": "clip", "head_init": "zero_shot"}
FILES = {"data.selection": 2.0, "data.shots": 3, "data.epoch_images": 4, "batch_size": 2}
DIVIDED = {**FILES, "data.name": "folder", "data.root": divided_pictures}
BROKEN = {**FILES, "data.name": "folder", "data.root": broken_pictures}
SHIFTED = {**FILES, "data.name": "folder", "data.shift": "folder"}
CASES = (
    Case("lr", (1e-3, 2e-3), peak_lr),
    Case("min_lr", (0.0, 1e-4), last_lr),
    Case("warmup", (0.0, 0.5), steps_to_peak, {"epochs": 4}),
    Case("layer_decay", (1.0, 0.65, 0.5), lowest_lr_scale),
    Case("weight_decay", (0.0, 0.05), of_optimizer("weight_decay")),
    Case("weight_decay", (0.0, 0.5), trained(0)),
    Case("beta1", (0.9, 0.5), of_optimizer("betas")),
    Case("beta1", (0.9, 0.5), trained(0)),
    Case("beta2", (0.999, 0.9), of_optimizer("betas")),
    Case("beta2", (0.999, 0.9), trained(0)),
    Case("eps", (1e-8, 1e-3), of_optimizer("eps")),
    Case("eps", (1e-8, 1e-3), trained(0)),
    Case("clip_grad", (0.0, 1e-6), trained(0)),
    Case("batch_size", (50, 25), lambda recipe: first_images(recipe).shape),
    Case("batch_size", (50, 25), steps),
    Case("epochs", (2, 3), lambda recipe: len(schedule(recipe))),
    Case("ema_decay", (0.0, 0.5, 0.9, "auto"), trained(-1)),
    Case("pool", ("patch_mean", "cls", "clip"), features),
    Case("freeze", ("none", "patch", "first_1", "first_2", "backbone"), trainable),
    Case("tune", ("full", "bias", "lora"), trainable),
    Case("tune", ("full", "bias", "lora"), plain_after_training),
    Case("lora_rank", (4, 8), trained(0), {"tune": "lora"}),
    Case("lora_alpha", (8.0, 16.0), plain_after_training, {"tune": "lora"}),
    Case("drop_path", (0.0, 0.1, 0.2), drop_rates),
    Case("drop_path", (0.0, 0.5), trained(0)),
    Case("head_init_scale", (0.001, 1.0), lambda recipe: float(head(recipe).std())),
    Case("head_init", ("random", "zero_shot", "linear_probe"), head, {"pool": "clip"}),
    Case("probe_l2", (1e-4, 1e-2), head, {"head_init": "linear_probe"}),
    Case("logit_scale", ("in_head", "fixed", "trained"), trainable_or_scaled, ZERO_SHOT),
    Case("logit_scale", ("in_head", "fixed", "trained"), plain_after_training, ZERO_SHOT),
    Case("resolution", ("auto", 48), positions),
    Case("resolution", ("auto", 48), lambda recipe: first_images(recipe).shape),
    Case("resolution", ("auto", 48), lambda recipe: evaluated_images(recipe).shape),
    *(
        Case(knob, values, first_images, beside)
        for beside in (
            {"augment_backend": "tensor"},
            {"augment_backend": "timm"},
            {"augment_backend": "tensor", **RAND_AUGMENT},
            {"augment_backend": "timm", **RAND_AUGMENT},
        )
        for knob, values in {
            "crop_scale": (0.08, 0.9),
            "hflip": (0.0, 1.0),
            "color_jitter": (0.0, 0.4),
            "random_erasing": (0.0, 1.0),
            "interpolation": ("bicubic", "bilinear"),
        }.items()
    ),
    Case("interpolation", ("bicubic", "bilinear"), evaluated_images, {"resolution": 48}),
    *(
        Case(
            "rand_augment",
            ("none", "rand-m9-inc1", "rand-m2-inc1"),
            first_images,
            {"augment_backend": how},
        )
        for how in ("timm", "tensor")
    ),
    Case("augment_backend", ("timm", "tensor"), first_images),
    *(
        Case(knob, (0.0, 0.8), sees)
        for knob in ("mixup", "cutmix")
        for sees in (first_images, first_targets)
    ),
    Case("mix_pairs", ("adjacent", "mirrored"), first_images, {"mixup": 0.8}),
    Case("label_smoothing", (0.0, 0.1, 0.2), lambda recipe: float(first_targets(recipe).min())),
    Case("precision", ("fp32", "bf16", "fp16"), logits_dtype),
    Case("precision", ("fp32", "tf32"), lambda recipe: matmul_precision_of(recipe.precision)),
    *(Case("seed", (0, 1), sees) for sees in (first_images, first_targets, head, evaluated_images)),
    Case(
        "encoder.name",
        ("tiny", "ViT-S-32"),
        lambda recipe: block_weights(recipe).shape,
        {"encoder.pretrained": "random"},
    ),
    Case("encoder.pretrained", ("tiny", "random"), block_weights),
    *(
        Case("encoder.pixels", ("clip", "imagenet", "inception"), sees, {"augment_backend": how})
        for sees in (first_images, evaluated_images)
        for how in ("tensor", "timm")
    ),
    Case("encoder.pretrained", ("tiny", "random"), trial_id),
    Case("data.name", ("digits", "folder"), classes, FILES),
    Case("data.root", (pictures("x"), pictures("y")), classes, {**FILES, "data.name": "folder"}),
    Case("data.folders", ("by_name", "classes"), classes, DIVIDED),
    Case("data.subset", ("none", listed("3", "7"), listed("3", "8")), classes),
    Case("data.shots", (10, 20), draws, {"data.epoch_images": "auto"}),
    Case("data.selection", (2.0, 3.0), evaluated_count),
    Case("data.selection", (0.1, 0.2), evaluated_count),
    Case(
        "data.selection_root",
        (pictures("x", 1), pictures("x", 2)),
        evaluated_images,
        {**FILES, "data.name": "folder", "data.selection": 0},
    ),
    Case("data.epoch_images", (100, 150), steps),
    Case("data.on_error", ("raise", "skip"), images_trained_on, BROKEN, resolved=False),
    Case("data.shift", ("none", "printed"), shifted_images),
    Case("data.class_names", ("", listed(*"9876543210"), listed(*"abcdefghij")), head, ZERO_SHOT),
    Case("data.templates", ("", listed("the digit {}"), listed("the thin {}")), head, ZERO_SHOT),
    Case("data.shift_root", (pictures("x"), pictures("x", 1)), shifted_images, SHIFTED),
)
CHECKED = ("encoder.weights", "data.fingerprint", "data.prompts")
"""Computed at plan time; a given value is compared with the computed one."""


def observed(case: Case, value: Any, folder: Path) -> Any:
    given = {**SHORT, **case.beside, case.knob: value}
    if given.get("data.name") == "folder":
        given.setdefault("data.root", pictures("x"))
    given = {name: one(folder) if callable(one) else one for name, one in given.items()}
    recipe = with_values(Recipe(), given)
    return case.sees(resolve(recipe) if case.resolved else recipe)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    return bool(np.array_equal(one, other))


def test_every_knob_has_a_case() -> None:
    assert {case.knob for case in CASES} | set(CHECKED) == set(knobs())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.knob)
def test_knob_changes_what_it_controls(case: Case, tmp_path: Path) -> None:
    seen = [observed(case, value, tmp_path) for value in case.values]
    assert same(seen[0], observed(case, case.values[0], tmp_path)), (
        "the observation is not reproducible"
    )
    for index, one in enumerate(seen):
        assert not any(same(one, other) for other in seen[:index])


@pytest.mark.parametrize("knob", CHECKED)
def test_given_identity_is_compared_with_the_actual_one(knob: str) -> None:
    node, _, leaf = knob.partition(".")
    found = getattr(getattr(resolve(Recipe()), node), leaf)
    assert resolve(with_values(Recipe(), {knob: found})) == resolve(Recipe())
    with pytest.raises(ValueError, match=f"{knob}=0000 differs from the actual {found}"):
        resolve(with_values(Recipe(), {knob: "0000"}))
