"""Predict the memory of a trial on a GPU, from the encoder's config. Imports no torch.

A step needs a fixed part (weights, EMA, moments, gradients) and a part for each image that is in
memory at once: what the forward pass saves for the backward pass, and what that works on.
"""

from dataclasses import dataclass
from typing import NamedTuple

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.datasets import load_dataset
from clip_hparam.model.architectures import model_config, shape_of
from clip_hparam.model.depth import depth_of
from clip_hparam.planning.estimates import flops

CARDS_GB = {"V100": (16, 32), "A100": (40, 80), "H100": (80,), "H200": (141,)}
"""Memory of each card of machine.device_name in its editions, in 10^9 bytes."""
USABLE_SHARE = 0.9  # share of free memory; the rest is for fragments and workspaces of libraries
CONTEXT_BYTES = 10**9  # CUDA context of a process on an otherwise empty card
HEAD_WIDTH = 64  # open_clip's default
FP32_BYTES = 4


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes on the GPU of one rank.

    fixed: independent of the images.
    saved: what the forward pass of an image saves.
    working: what its backward pass needs beside this, and its pixels.
    """

    fixed: int
    saved: int
    working: int

    @property
    def image(self) -> int:
        """Bytes of one more image at once."""
        return self.saved + self.working

    def total(self, images: int) -> int:
        """Return the bytes of a step with so many images at once."""
        return self.fixed + images * self.image


class _Sizes(NamedTuple):
    """Elements of an image in a block, and the bytes of one: tokens x width, the MLP's, the rest.

    number: bytes of an element in the precision of the matrix products.
    """

    tokens: int
    width: int
    hidden: int
    heads: int
    number: int

    @property
    def stream(self) -> int:
        """Bytes of tokens x width."""
        return self.tokens * self.width * self.number

    @property
    def mlp(self) -> int:
        """Bytes of tokens x hidden width of the MLP."""
        return self.tokens * self.hidden * self.number


def predict_memory(recipe: ResolvedRecipe, machine: Machine, classes: int) -> MemoryEstimate:
    """Return the memory of a rank; `machine` gives the kernels and activation checkpointing."""
    sizes = _sizes(recipe)
    blocks = _blocks_with_gradients(recipe)
    of_block = _saved_of_block(recipe, machine, sizes)
    in_blocks = blocks * (sizes.stream if machine.activation_checkpointing else of_block)
    head = (sizes.width + 2 * classes) * FP32_BYTES
    copies = FP32_BYTES + (sizes.number if sizes.number < FP32_BYTES else 0)
    pixels = 3 * recipe.resolution**2 * copies
    working = 2 * (sizes.mlp if blocks else sizes.stream)
    if machine.activation_checkpointing and blocks:
        working += of_block  # computed again
    return MemoryEstimate(
        fixed=_fixed_bytes(recipe, classes),
        saved=in_blocks + _saved_around_blocks(recipe, machine, sizes) + head,
        working=working + pixels,
    )


def fitting_micro_batch(
    estimate: MemoryEstimate, free: int, rows: int, is_even: bool = False
) -> int | None:
    """Return the largest divisor of the rows of a rank that fits; None if no image fits.

    free: bytes of the card. is_even: whether the divisor must be even, because rows are mixed in
    pairs.
    """
    usable = int(free * USABLE_SHARE)
    step = 2 if is_even and rows % 2 == 0 else 1
    fitting = (
        size
        for size in range(rows, 0, -1)
        if rows % size == 0 and size % step == 0 and estimate.total(size) <= usable
    )
    return next(fitting, None)


def card_bytes(name: str) -> int:
    """Return the memory that a process can use of the smallest edition of a card."""
    return CARDS_GB[name][0] * 10**9 - CONTEXT_BYTES


def mixes_rows(recipe: ResolvedRecipe) -> bool:
    """Return whether rows of a batch are mixed with each other."""
    return bool(recipe.mixup or recipe.cutmix)


def describe_memory(recipe: ResolvedRecipe, machine: Machine, ranks: int) -> str:
    """Return a line with the memory of an image, and the images at once on the card.

    ranks: number of GPUs, each with its rows of a batch.
    """
    estimate = predict_memory(recipe, machine, len(load_dataset(recipe.data).classes))
    size = f"{_format(estimate.image)} an image and {_format(estimate.fixed)} fixed on a GPU"
    rows, name = recipe.batch_size // ranks, machine.device_name
    card = f"{name} of {CARDS_GB[name][0]} GB"
    best = fitting_micro_batch(estimate, card_bytes(name), rows, mixes_rows(recipe))
    if best is None:
        return f"{size}: no image fits {article(card)} {card}"
    given = machine.micro_batch if isinstance(machine.micro_batch, int) else 0
    chosen = (given or recipe.batch_size) // ranks
    if machine.micro_batch == AUTO or chosen <= best:
        images = best if machine.micro_batch == AUTO else chosen
        return f"{size}: {images} of {rows} images at once fit {article(card)} {card}"
    return (
        f"{size}: {chosen} images at once do not fit {article(card)} {card}: try"
        f" machine.micro_batch={best * ranks}, or auto"
    )


def article(noun: str) -> str:
    """Return "a" or "an" for a name of a card, which is read letter by letter."""
    return "an" if noun[0] in "AEFHILMNORSX" else "a"


def _format(size: int) -> str:
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _sizes(recipe: ResolvedRecipe) -> _Sizes:
    vision, shape = model_config(recipe.encoder.name)["vision_cfg"], shape_of(recipe.encoder.name)
    return _Sizes(
        tokens=1 + (recipe.resolution // shape.patch) ** 2,
        width=shape.width,
        hidden=int(shape.width * vision.get("mlp_ratio", flops.DEFAULT_MLP_RATIO)),
        heads=shape.width // vision.get("head_width", HEAD_WIDTH),
        number=2 if recipe.precision in ("bf16", "fp16") else FP32_BYTES,
    )


def _lowest_trained_depth(recipe: ResolvedRecipe) -> int:
    """Return the depth below which no gradient is needed."""
    blocks = shape_of(recipe.encoder.name).blocks
    is_trained = flops.parameter_is_trained(recipe)
    names = flops.parameter_counts(recipe, classes=1)
    return min(depth_of(name, blocks) for name in names if is_trained(name))


def _blocks_with_gradients(recipe: ResolvedRecipe) -> int:
    """Return the number of blocks whose forward pass saves tensors."""
    blocks = shape_of(recipe.encoder.name).blocks
    return min(blocks, blocks + 1 - _lowest_trained_depth(recipe))


def _saved_of_block(recipe: ResolvedRecipe, machine: Machine, sizes: _Sizes) -> int:
    """Return the bytes that the forward pass of an image saves in a block.

    Fused kernels save: input and output of both norms (4 x the stream), queries, keys and values
    (3), the output of the attention (1), input and output of the activation.
    """
    stream, mlp = 8 * sizes.stream, 2 * sizes.mlp
    if machine.kernels == "reference":
        fp32 = sizes.tokens * sizes.width * FP32_BYTES
        # norms save fp32 copies of their inputs; the fp32 kernel of the attention a second output
        stream = 2 * fp32 + (6 if sizes.number < FP32_BYTES else 7) * sizes.stream
        is_quick = model_config(recipe.encoder.name).get("quick_gelu", False)
        mlp = (3 if is_quick else 2) * sizes.mlp  # x * sigmoid(1.702 x)
    scaled = bool(model_config(recipe.encoder.name)["vision_cfg"].get("ls_init_value"))
    statistics = sizes.tokens * (4 + sizes.heads) * FP32_BYTES  # statistics of norms and softmax
    return stream + mlp + 2 * scaled * sizes.stream + statistics


def _saved_around_blocks(recipe: ResolvedRecipe, machine: Machine, sizes: _Sizes) -> int:
    """Return the bytes that the forward pass of an image saves outside the blocks."""
    fp32 = sizes.tokens * sizes.width * FP32_BYTES
    lowest = _lowest_trained_depth(recipe)
    first = fp32 if machine.kernels == "reference" else sizes.stream
    pixels = 3 * recipe.resolution**2 if recipe.freeze == "none" else 0
    saved = first + pixels * sizes.number if lowest == 0 else 0
    if recipe.pool == "patch_mean" and recipe.freeze != "backbone":
        saved += fp32
    return saved


def _fixed_bytes(recipe: ResolvedRecipe, classes: int) -> int:
    """Return the bytes of weights, EMA, moments, gradients and weights in half precision.

    With tune=lora the updated matrices of all blocks are saved for the backward pass.
    """
    trained, frozen = flops.trainable_and_frozen(recipe, classes)
    weights = trained + frozen
    copies = FP32_BYTES * (weights + (weights if recipe.ema_decay else 0) + 3 * trained)
    copies += FP32_BYTES * flops.adapted_values(recipe)
    return copies + (2 * weights if recipe.precision in ("bf16", "fp16") else 0)
