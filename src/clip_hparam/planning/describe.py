"""Describe a resolved recipe without running it: `clip-hparam describe`. Imports no torch.

describe(recipe)  ->  a table of the numbers that follow from the knobs
lint(recipe)      ->  a sentence for each choice that is probably a mistake
"""

import math
from collections.abc import Iterator, Sequence

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.config.steps import steps_per_epoch, total_steps, warmup_steps
from clip_hparam.config.text.count import counted
from clip_hparam.data.datasets import load_dataset
from clip_hparam.model.architectures import shape_of
from clip_hparam.model.depth import depth_of, drop_path_rates, lr_scale
from clip_hparam.model.weights_identity import weights_grid
from clip_hparam.planning.data_facts import data_rows
from clip_hparam.planning.estimates import flops
from clip_hparam.planning.estimates.memory import describe_memory
from clip_hparam.planning.eval_sets import eval_set_rows
from clip_hparam.planning.resolve import ema_decay_for

LONG_EMA_HALF_LIFE_SHARE = 0.25  # share of a run: initial weights are 6 % of the final EMA
SHORT_EMA_HALF_LIFE_SHARE = 0.005  # share of a run
ADVISED_LAYER_DECAY, ADVISED_WARMUP = 0.65, 0.2
HIGH_LR_TIMES_WIDTH = 0.2  # rule of thumb: lr 3e-3 at width 64 and 2.6e-4 at width 768 do harm


def describe(
    recipe: ResolvedRecipe,
    machine: Machine | None = None,
    ranks: int = 1,
    eval_sets: Sequence[str] = (),
) -> str:
    """Return a table of names and values; the values are those that training uses.

    machine, ranks: for the memory; None for the default machine.
    """
    rows = [
        *data_rows(recipe.data),
        *eval_set_rows(recipe.data, eval_sets),
        *_rows(recipe),
        ("memory", describe_memory(recipe, machine or Machine(), ranks)),
    ]
    return "\n".join(_aligned(rows))


def describe_data(data: Data) -> str:
    """Return the rows of the table about the images, also where some cannot be read."""
    return "\n".join(_aligned(list(data_rows(data))))


def _aligned(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(name) for name, _ in rows)
    return (f"{name:<{width}}  {value}" for name, value in rows)


def lint(recipe: ResolvedRecipe) -> list[str]:
    """Return a sentence for each probable mistake, with what to type instead."""
    return [*_lint_lr(recipe), *_lint_ema(recipe), *_lint_augmentation(recipe)]


def layer_lrs(recipe: ResolvedRecipe) -> list[float]:
    """Return the peak lr by depth: embeddings, each block, head; 0 where all is frozen."""
    blocks = shape_of(recipe.encoder.name).blocks
    is_trained = flops.parameter_is_trained(recipe)
    names = flops.parameter_counts(recipe, classes=1)
    trained = {depth_of(name, blocks) for name in names if is_trained(name)}
    return [
        recipe.lr * lr_scale(depth, blocks, recipe.layer_decay) if depth in trained else 0.0
        for depth in range(blocks + 2)
    ]


def mean_block_lr(recipe: ResolvedRecipe) -> float:
    """Return the mean peak lr of the blocks that are trained; 0 if all are frozen."""
    lrs = [lr for lr in layer_lrs(recipe)[1:-1] if lr]
    return sum(lrs) / max(len(lrs), 1)


def ema_half_life_steps(ema_decay: float) -> float:
    """Return the steps after which the weight of an old value in the average has halved."""
    return math.log(0.5) / math.log(ema_decay)


def _describe_tuning(recipe: ResolvedRecipe) -> str:
    tune = "" if recipe.tune == "full" else f", tune={recipe.tune}"
    rank = f", lora_rank={recipe.lora_rank}" if recipe.tune == "lora" else ""
    return f"freeze={recipe.freeze}{tune}{rank}"


def _rows(recipe: ResolvedRecipe) -> Iterator[tuple[str, str]]:
    classes = len(load_dataset(recipe.data).classes)
    trainable, frozen = flops.trainable_and_frozen(recipe, classes)
    yield "encoder", f"{recipe.encoder.name}, {_describe_resolution(recipe)}"
    yield "position embedding", _describe_pos_embed(recipe)
    yield "parameters", f"{trainable:,} trainable, {frozen:,} frozen ({_describe_tuning(recipe)})"
    yield "multiply-adds", f"{flops.multiply_adds(recipe, classes) / 1e9:.3g} G an image, forward"
    yield "steps", _describe_steps(recipe)
    yield (
        "warm-up",
        f"{counted(warmup_steps(recipe), 'step')}, {100 * recipe.warmup:.3g} % of the run",
    )
    per_256 = recipe.lr * 256 / recipe.batch_size
    yield "lr", f"{recipe.lr:.3g} peak, {per_256:.3g} per 256 images, floor {recipe.min_lr:.3g}"
    yield "lr, mean of blocks", _format_lr(mean_block_lr(recipe))
    embeddings, *blocks, head = layer_lrs(recipe)
    yield "lr, embeddings", _format_lr(embeddings)
    rates = drop_path_rates(recipe.drop_path, len(blocks))
    for block, (lr, rate) in enumerate(zip(blocks, rates, strict=True)):
        yield f"lr, block {block}", _format_lr(lr) + (f"   drop-path {rate:.3g}" if rate else "")
    yield "lr, head", _format_lr(head)
    yield "EMA", _describe_ema(recipe)


def _format_lr(value: float) -> str:
    return f"{value:.3g}" if value else "frozen"


def _describe_resolution(recipe: ResolvedRecipe) -> str:
    shape = shape_of(recipe.encoder.name)
    native = "" if recipe.resolution == shape.resolution else f" (its own is {shape.resolution})"
    return f"{recipe.resolution} px{native}, patch {shape.patch}"


def _describe_pos_embed(recipe: ResolvedRecipe) -> str:
    shape = shape_of(recipe.encoder.name)
    own, new = shape.resolution // shape.patch, recipe.resolution // shape.patch
    old = weights_grid(recipe.encoder) or own
    if old == new:
        return f"{old} x {old} patches, as pre-trained"
    antialias = "without" if old == own else "with"
    return f"{old} x {old} -> {new} x {new} patches, bicubic {antialias} antialias"


def _describe_steps(recipe: ResolvedRecipe) -> str:
    per_epoch, images = steps_per_epoch(recipe), recipe.data.epoch_images
    unused = images - per_epoch * recipe.batch_size
    left = f", {unused} of its {counted(images, 'image')} unused" if unused else ""
    return f"{total_steps(recipe)} = {counted(recipe.epochs, 'epoch')} of {per_epoch}{left}"


def _describe_ema(recipe: ResolvedRecipe) -> str:
    decay = recipe.ema_decay
    if not decay:
        return "none"
    steps = ema_half_life_steps(decay)
    epochs, share = steps / steps_per_epoch(recipe), steps / total_steps(recipe)
    life = f"{steps:.4g} steps = {epochs:.3g} epochs = {100 * share:.3g} % of the run"
    return f"{decay:.6g}, half-life {life}"


def _lint_lr(recipe: ResolvedRecipe) -> Iterator[str]:
    width = shape_of(recipe.encoder.name).width
    if recipe.freeze == "backbone" and recipe.layer_decay < 1:
        yield (
            f"freeze=backbone trains the head alone: layer_decay={recipe.layer_decay:g} changes"
            " nothing"
        )
    if mean_block_lr(recipe) * width > HIGH_LR_TIMES_WIDTH:
        strong = recipe.layer_decay <= ADVISED_LAYER_DECAY
        decayed = (
            "without" if recipe.layer_decay == 1 else "even with" if strong else "with so little"
        )
        decay = "" if strong else f"layer_decay={ADVISED_LAYER_DECAY:g}, or "
        yield (
            f"lr {recipe.lr:g} {decayed} layer decay is far above the uniform lr that works at"
            f" width {width}: try {decay}lr={HIGH_LR_TIMES_WIDTH / 4 / width:.0e}"
        )
    if recipe.min_lr >= recipe.lr:
        yield f"min_lr={recipe.min_lr:g} is not below lr={recipe.lr:g}: the cosine does not anneal"
    if warmup_steps(recipe) == 0:
        advice = "more epochs" if recipe.warmup >= ADVISED_WARMUP else f"warmup={ADVISED_WARMUP:g}"
        yield (f"warmup={recipe.warmup:g} is 0 steps: training starts at the full lr; try {advice}")


def _lint_ema(recipe: ResolvedRecipe) -> Iterator[str]:
    decay, steps = recipe.ema_decay, total_steps(recipe)
    if not decay:
        return
    share = ema_half_life_steps(decay) / steps
    instead = f"try ema_decay=auto ({ema_decay_for(steps):.5g})"
    if share > LONG_EMA_HALF_LIFE_SHARE:
        yield (
            f"EMA decay {decay:g} with {counted(steps, 'step')} never warms up: at the end"
            f" {100 * decay**steps:.0f} % of the average are still the first weights; {instead}"
        )
    elif share < SHORT_EMA_HALF_LIFE_SHARE:
        of_steps = counted(steps, "step")
        yield f"EMA decay {decay:g} with {of_steps} averages hardly any of them: {instead}"


def _lint_augmentation(recipe: ResolvedRecipe) -> Iterator[str]:
    mixed = [name for name in ("mixup", "cutmix") if getattr(recipe, name)]
    if mixed and recipe.label_smoothing:
        verb = "moves" if len(mixed) == 1 else "move"
        yield (
            f"{' and '.join(mixed)} {verb} label smoothing into the targets: each of the two mixed"
            f" labels is smoothed by {recipe.label_smoothing:g}"
        )
    if recipe.color_jitter and recipe.rand_augment != "none":
        yield (
            f"color_jitter={recipe.color_jitter:g} is applied in addition to RandAugment, where"
            " timm leaves it out: set color_jitter=0 as in the published recipes"
        )
