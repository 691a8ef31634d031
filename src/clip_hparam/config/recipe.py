"""The recipe of a trial: every knob that changes its number by intent.

A knob has one name: the key on the command line is the field here, the column of the frame and the
label of the axis. identity.py hashes a recipe to the id of its trial. Standard library only.
"""

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any

from clip_hparam.config.checks.unused_knobs import validate_use
from clip_hparam.config.knob import AUTO, MAX_SEED, knob, suggest, validate

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

    name: str = knob("digits", "/.+/", "digits, characters, imagenet, folder, table, cifar10, ...")
    root: str = knob("", "/.*/", "folder of the images, where there is one", hashed=False)
    folders: str = knob(
        "by_name",
        "by_name | classes",
        "the folders in data.root: split folders are found by name, or all are classes",
        hashed=False,  # the fingerprint differs
    )
    subset: str = knob(
        "none",
        "/.+/",
        "classes to keep: none (all), imagenet100, or a file with one class name per line",
        hashed=False,
    )
    shots: int = knob(20, "[0, inf)", "training images per class; 0 means all", scale="log")
    selection: int | float | str = knob(
        20.0,
        "auto | [0, inf)",
        "held-out selection images: below 1 a share of the training set, else per class; 0: the"
        " selection folder of the data set; auto: that folder, or 0.1 where there is none",
    )
    selection_root: str = knob(
        "",
        "/.*/",
        "a selection set of its own: class folders, or a file that lists training images",
        hashed=False,  # the fingerprint differs
    )
    epoch_images: int | str = knob(
        AUTO,
        "auto | [1, inf)",
        "draws in an epoch; auto is the training set once; imagenet:N is N with all classes of"
        " data=imagenet, else auto",
        of_one_dataset=True,
        scale="log",
    )
    shift: str = knob(
        "none",
        "none | printed | folder",
        "images of the same classes from another source, for evaluation: printed digits, or a"
        " folder",
        value_before_introduction="none",
    )
    shift_root: str = knob("", "/.*/", "folder of these images, where there is one", hashed=False)
    on_error: str = knob(
        "raise",
        "raise | skip",
        "unreadable training images: refuse to start, or leave them out; others are refused",
        value_before_introduction="raise",
    )
    class_names: str = knob(
        "",
        "/.*/",
        "names of the classes in zero-shot prompts: a file with one name per line, or JSON",
        hashed=False,  # data.prompts is
    )
    templates: str = knob(
        "", "/.*/", "templates of zero-shot prompts: a file, {} is the class name", hashed=False
    )
    prompts: str = knob(
        "default",
        "/.+/",
        "default, or the sha256 of other zero-shot prompts that are used; filled in at plan time",
        value_before_introduction="default",
    )
    fingerprint: str = knob(AUTO, "/.+/", "sha256 of the manifest; filled in at plan time")

    def __post_init__(self) -> None:
        validate(self, "data.")


@dataclass(frozen=True)
class Recipe:
    """All knobs of a fine-tuning run."""

    # optimisation
    lr: float = knob(
        1e-3, "(0, inf)", "peak learning rate of the head", hint="try lr=1e-3", scale="log"
    )
    min_lr: float = knob(
        1e-6, "[0, inf)", "learning rate at the end of the cosine, before lr_scale", scale="log"
    )
    warmup: float = knob(0.2, "[0, 1)", "linear warm-up, as a share of the run", hint="try 0.2")
    layer_decay: float = knob(
        1.0, "(0, 1]", "lr factor from one layer to the next below", hint="1 is no decay, try 0.65"
    )
    weight_decay: float = knob(
        0.05, "[0, inf)", "decoupled weight decay of AdamW; not on biases and norms", scale="log"
    )
    beta1: float = knob(0.9, "[0, 1)", "decay of AdamW's mean of gradients")
    beta2: float = knob(0.999, "[0, 1)", "decay of AdamW's mean of squared gradients")
    eps: float = knob(1e-8, "(0, inf)", "AdamW's term in the denominator of a step", scale="log")
    clip_grad: float = knob(0.0, "[0, inf)", "largest gradient norm; 0 is no clipping")
    batch_size: int = knob(
        50, "[1, inf)", "images per optimizer step, over ranks and micro-batches", scale="log"
    )
    epochs: int = knob(
        20, "[1, inf)", "epochs of data.epoch_images draws", hint="try epochs=20", scale="log"
    )
    ema_decay: int | float | str = knob(
        0.0,
        "auto | [0, 1)",
        "moving average of the weights, per step; 0 is none; auto: half-life of 11 % of the run",
        hint="try 0.99, or auto",
    )
    # model
    pool: str = knob("patch_mean", "patch_mean | cls | clip", "features that the head reads")
    freeze: str = knob(
        "patch",
        "/none|patch|backbone|first_[1-9][0-9]*/",
        "part of the encoder that is not trained",
        hint="try none, patch, backbone, or first_3: the embeddings and three blocks",
    )
    tune: str = knob(
        "full",
        "full | bias | lora",
        "weights that are trained in layers that are not frozen: all, biases, or low-rank updates",
        value_before_introduction="full",
    )
    lora_rank: int = knob(
        8, "[1, inf)", "rank of the updates of tune=lora", value_before_introduction=8
    )
    lora_alpha: float = knob(
        16.0,
        "(0, inf)",
        "factor on the updates of tune=lora, over lora_rank",
        value_before_introduction=16.0,
    )
    drop_path: float = knob(0.0, "[0, 1)", "stochastic depth of the last block, linear from 0")
    head_init: str = knob(
        "random",
        "random | zero_shot | linear_probe",
        "initial weights of the head; zero_shot: text features of the class names (pool=clip);"
        " linear_probe: fitted to the features of the training images",
        value_before_introduction="random",
    )
    head_init_scale: float = knob(
        0.001, "(0, inf)", "factor on the initial weights of a random head", scale="log"
    )
    probe_l2: float = knob(
        1e-4,
        "(0, inf)",
        "half this times the squared weights is added to the loss of head_init=linear_probe",
        value_before_introduction=1e-4,
    )
    logit_scale: str = knob(
        "in_head",
        "in_head | fixed | trained",
        "CLIP's logit scale with head_init=zero_shot: in the head's weights, or a separate factor",
        value_before_introduction="in_head",
    )
    resolution: int | str = knob(AUTO, "auto | [1, inf)", "px; auto is the encoder's own")
    # augmentation and targets
    crop_scale: float = knob(0.08, "(0, 1]", "least area of the random resized crop")
    hflip: float = knob(0.5, "[0, 1]", "probability of a horizontal flip")
    rand_augment: str = knob(
        "none",
        rf"/none|rand(-({RAND_AUGMENT_SECTION}))+/",
        "RandAugment string of timm, or none",
        hint="try none, or rand-m9-mstd0.5-inc1",
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
    interpolation: str = knob(
        "bicubic", "bicubic | bilinear", "interpolation of the crop and the resize"
    )
    augment_backend: str = knob(
        AUTO, "auto | timm | tensor", "timm: image by image (PIL); tensor: a batch at a time"
    )
    # run
    precision: str = knob(
        "fp32",
        "fp32 | tf32 | bf16 | fp16",
        "number format of the forward pass; tf32: fp32 with TF32 matrix products, on recent GPUs",
    )
    seed: int = knob(
        0,
        f"[0, {MAX_SEED}]",
        "random seed of the data draw, the head, the order and the augmentation",
    )
    encoder: Encoder = field(default_factory=Encoder)
    data: Data = field(default_factory=Data)

    def __post_init__(self) -> None:
        validate(self)
        validate_use(self, knobs())


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
    return {name: attrgetter(name)(recipe) for name in knobs()}


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
