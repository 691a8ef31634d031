"""The recipe of a trial: every knob that changes its number by intent, and the id hashed from it.

A knob has one name: the key on the command line is the field here, the column of the frame and the
label of the axis. Paths (`data.root`, a file in `encoder.pretrained`) are not part of the identity;
the SHA-256 of the files is. Standard library only.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from clip_hparam.config.knob import AUTO, knob, suggest, validate

# sections of timm's string; timm ignores sections that it does not know
RAND_AUGMENT_SECTION = r"m\d+|n[1-9]|p(0\.\d+|1)|mstd\d+(\.\d+)?|mmax\d+|inc[01]|tweights|t3aw?"

FIDELITIES = {
    "epochs": ("ema_decay",),
    "data.shots": ("data.epoch_images", "ema_decay"),
    "data.epoch_images": ("ema_decay",),
    "resolution": (),
}
"""Knobs that make a run cheaper, each with the knobs whose `auto` value depends on it."""


@dataclass(frozen=True)
class Encoder:
    """The pretrained image tower."""

    name: str = knob("tiny", "/.+/", "open_clip architecture, or tiny (in the package)")
    pretrained: str = knob(
        "tiny", "/.+/", "open_clip tag, local file, tiny, or random", hint="", hashed=False
    )
    weights: str = knob(AUTO, "/.+/", "sha256 of the weights, or random; filled in at plan time")
    pixels: str = knob(
        AUTO,
        "auto | clip | imagenet | inception",
        "mean and sd that pixels are normalised with; auto: the tag's own, CLIP's for a file",
        value_before_introduction="clip",
    )

    def __post_init__(self) -> None:
        validate(self, "encoder.")


@dataclass(frozen=True)
class Data:
    """The data set and its splits."""

    name: str = knob("digits", "/.+/", "digits, characters, imagenet, or folder")
    root: str = knob("", "/.*/", "folder of the images, where there is one", hashed=False)
    shots: int = knob(20, "[0, inf)", "training images a class; 0 means all")
    selection: int | float | str = knob(
        20.0,
        "auto | [0, inf)",
        "held-out selection images: below 1 a share of the training set, else a class; 0: the"
        " selection folder of the data set; auto: that folder, or 0.1 where there is none",
    )
    epoch_images: int | str = knob(
        AUTO,
        "auto | [1, inf)",
        "draws in an epoch; auto is the training set once; imagenet:N is N with data=imagenet, else"
        " auto",
        of_one_dataset=True,
    )
    shift: str = knob(
        "none",
        "none | printed | folder",
        "images of the classes from elsewhere, to measure on: printed digits, or a folder",
        value_before_introduction="none",
    )
    shift_root: str = knob("", "/.*/", "folder of these images, where there is one", hashed=False)
    on_error: str = knob(
        "raise",
        "raise | skip",
        "unreadable training images: refuse to start, or leave them out; others are refused",
        value_before_introduction="raise",
    )
    fingerprint: str = knob(AUTO, "/.+/", "sha256 of the manifest; filled in at plan time")

    def __post_init__(self) -> None:
        validate(self, "data.")


@dataclass(frozen=True)
class Recipe:
    """All knobs of a fine-tuning run."""

    # optimisation
    lr: float = knob(1e-3, "(0, inf)", "peak learning rate of the head", hint="try lr=1e-3")
    min_lr: float = knob(1e-6, "[0, inf)", "where the cosine ends, before lr_scale")
    warmup: float = knob(0.2, "[0, 1)", "linear warm-up, as a share of the run", hint="try 0.2")
    layer_decay: float = knob(
        1.0, "(0, 1]", "lr factor from one layer to the next below", hint="1 is no decay, try 0.65"
    )
    weight_decay: float = knob(0.05, "[0, inf)", "AdamW, decoupled; not on biases and norms")
    beta1: float = knob(0.9, "[0, 1)", "AdamW")
    beta2: float = knob(0.999, "[0, 1)", "AdamW")
    eps: float = knob(1e-8, "(0, inf)", "AdamW")
    clip_grad: float = knob(0.0, "[0, inf)", "largest gradient norm; 0 is no clipping")
    batch_size: int = knob(50, "[1, inf)", "images an optimiser step, over ranks and micro-batches")
    epochs: int = knob(20, "[1, inf)", "epochs of data.epoch_images draws", hint="try epochs=20")
    ema_decay: int | float | str = knob(
        0.0,
        "auto | [0, 1)",
        "moving average of the weights, per step; 0 is none; auto: half-life of 11 % of the run",
        hint="try 0.99, or auto",
    )
    # model
    pool: str = knob("patch_mean", "patch_mean | cls | clip", "what the head reads")
    freeze: str = knob(
        "patch",
        "/none|patch|backbone|first_[1-9][0-9]*/",
        "what is not trained",
        hint="first_3 is the embeddings and three blocks",
    )
    drop_path: float = knob(0.0, "[0, 1)", "stochastic depth of the last block, linear from 0")
    head_init: str = knob(
        "random",
        "random | zero_shot",
        "the head's first weights; zero_shot: the class names in CLIP's words, for pool=clip",
        value_before_introduction="random",
    )
    head_init_scale: float = knob(0.001, "(0, inf)", "factor on the head's first weights")
    resolution: int | str = knob(AUTO, "auto | [1, inf)", "px; auto is the encoder's own")
    # augmentation and targets
    crop_scale: float = knob(0.08, "(0, 1]", "least area of the random resized crop")
    hflip: float = knob(0.5, "[0, 1]", "probability of a horizontal flip")
    rand_augment: str = knob(
        "none",
        rf"/none|rand(-({RAND_AUGMENT_SECTION}))+/",
        "RandAugment string of timm, or none",
        hint="try rand-m9-mstd0.5-inc1",
    )
    color_jitter: float = knob(0.0, "[0, inf)", "strength of brightness, contrast, saturation")
    random_erasing: float = knob(0.0, "[0, 1]", "probability of erasing a rectangle")
    mixup: float = knob(0.0, "[0, inf)", "alpha of mixup; 0 is none", hint="try 0.8")
    cutmix: float = knob(0.0, "[0, inf)", "alpha of cutmix; 0 is none", hint="try 1.0")
    mix_pairs: str = knob(
        AUTO,
        "auto | adjacent | mirrored",
        "rows of a batch that mixup and cutmix mix: 0 with 1, 2 with 3, ..., or the first with the"
        " last, ...; auto: adjacent for an even batch_size",
        value_before_introduction="mirrored",
    )
    label_smoothing: float = knob(0.1, "[0, 1)", "mass of the target spread over all classes")
    interpolation: str = knob("bicubic", "bicubic | bilinear", "of the crop and of the resize")
    augment_backend: str = knob(
        AUTO, "auto | timm | tensor", "timm: image by image (PIL); tensor: a batch at a time"
    )
    # run
    precision: str = knob(
        "fp32",
        "fp32 | tf32 | bf16 | fp16",
        "of the forward pass; tf32: fp32 with TF32 matrix products, on GPUs that have them",
    )
    seed: int = knob(0, "[0, inf)", "of the data draw, the head, the order and the augmentation")
    encoder: Encoder = field(default_factory=Encoder)
    data: Data = field(default_factory=Data)

    def __post_init__(self) -> None:
        validate(self)
        scale = knobs()["head_init_scale"].default
        if self.head_init == "zero_shot" and self.head_init_scale != scale:
            raise ValueError(
                f"head_init_scale={self.head_init_scale:g} scales a random head, and"
                f" head_init=zero_shot has CLIP's own logit scale: leave it at {scale:g}"
            )


@cache
def knobs() -> dict[str, dataclasses.Field[Any]]:
    """Return every knob by its dotted name, in the order of the fields."""
    named: dict[str, dataclasses.Field[Any]] = {}
    for outer in dataclasses.fields(Recipe):
        if "legal" in outer.metadata:
            named[outer.name] = outer
        else:
            for inner in dataclasses.fields(outer.default_factory()):  # type: ignore[operator]
                named[f"{outer.name}.{inner.name}"] = inner
    return named


def flatten(recipe: Recipe) -> dict[str, Any]:
    """Return the value of every knob by its dotted name, paths included."""
    return {name: _get_value(recipe, name) for name in knobs()}


def with_values(recipe: Recipe, values: dict[str, Any]) -> Recipe:
    """Return a copy with dotted knobs replaced; ValueError for an unknown knob or illegal value."""
    outer: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if name not in knobs():
            raise ValueError(f"unknown knob {name}: {suggest(name, knobs())}")
        node, _, leaf = name.rpartition(".")
        (nested.setdefault(node, {}) if node else outer)[leaf] = value
    for node, leaves in nested.items():
        outer[node] = dataclasses.replace(getattr(recipe, node), **leaves)
    return dataclasses.replace(recipe, **outer)


def canonical(recipe: Recipe) -> dict[str, Any]:
    """Return the hashed knobs of a resolved recipe as nested plain types.

    Raises ValueError if a value is still "auto": the recipe was not resolved.
    """
    tree: dict[str, Any] = {}
    for name, knob_field in knobs().items():
        if not knob_field.metadata["hashed"]:
            continue
        value = _get_value(recipe, name)
        if value == AUTO:
            raise ValueError(f"{name} is still auto: resolve the recipe before asking for its id")
        node, _, leaf = name.rpartition(".")
        (tree.setdefault(node, {}) if node else tree)[leaf] = value
    return tree


def identity(recipe: Recipe) -> dict[str, Any]:
    """Return the tree that `trial_id` hashes: the canonical recipe without unused new knobs.

    A knob at its `value_before_introduction` is left out, so that adding a knob keeps old ids.
    """
    tree = canonical(recipe)
    for name, value in _values_before_introduction().items():
        node, _, leaf = name.rpartition(".")
        branch = tree[node] if node else tree
        if branch[leaf] == value:
            del branch[leaf]
    return tree


def with_missing_knobs(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded canonical recipe; knobs that it lacks get `value_before_introduction`."""
    present = flatten_tree(tree)
    before = _values_before_introduction()
    return tree_with_values(tree, {name: before[name] for name in before if name not in present})


def trial_id(recipe: Recipe) -> str:
    """Return the first 12 hex digits of the SHA-256 of the identity as canonical JSON."""
    text = json.dumps(identity(recipe), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def label(recipe: Recipe, limit: int = 60) -> str:
    """Return the knobs that differ from the defaults, as "lr=0.003,layer_decay=0.65,seed=1"."""
    resolved = {"encoder.weights", "data.fingerprint"}
    differing = [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in flatten(recipe).items()
        if value not in (knobs()[name].default, knobs()[name].metadata["value_before_introduction"])
        and knobs()[name].metadata["hashed"]
        and name not in resolved
    ]
    text = ",".join(differing)
    return text if len(text) <= limit else text[: limit - 1] + "…"


@cache
def _values_before_introduction() -> dict[str, Any]:
    """Return `value_before_introduction` by dotted name, of the knobs that have one."""
    values = {name: field.metadata["value_before_introduction"] for name, field in knobs().items()}
    return {name: value for name, value in values.items() if value is not None}


def _get_value(recipe: Recipe, name: str) -> Any:
    value: Any = recipe
    for part in name.split("."):
        value = getattr(value, part)
    return value


def flatten_tree(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted name: {"data": {"shots": 20}} becomes {"data.shots": 20}."""
    flat: dict[str, Any] = {}
    _flatten_into(flat, tree, prefix)
    return flat


def tree_with_values(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a nested tree with values replaced by dotted name."""
    copied = {name: dict(item) if isinstance(item, dict) else item for name, item in tree.items()}
    for name, value in values.items():
        node, _, leaf = name.rpartition(".")
        (copied.setdefault(node, {}) if node else copied)[leaf] = value
    return copied


def _flatten_into(flat: dict[str, Any], tree: dict[str, Any], prefix: str) -> None:
    for name, value in tree.items():
        if type(value) is dict:
            _flatten_into(flat, value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
