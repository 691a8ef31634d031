"""Images a second, share of the peak, and memory of training steps: the product and two peers.

The matrix: towers x precisions x eager and compiled x contenders, on a batch that stays on the
device. The product and the peers are those of benchmarks/step.py; a peer reads its loss after each
step, the product does not, as in their own loops.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import product as combinations
from statistics import median
from typing import NamedTuple

import step as peers
import torch
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.planning.estimates.flops import multiply_adds
from clip_hparam.planning.estimates.throughput import (
    DEVICES,
    FORWARD_PASSES_PER_STEP,
    OPERATIONS_PER_MULTIPLY_ADD,
)
from clip_hparam.training.compilation.compiler import why_not
from clip_hparam.training.device.numerics import check_precision, matmul_precision_of
from clip_hparam.training.engine import train_step
from clip_hparam.training.throughput import synchronize
from gpu_checks.check import Figure, Finding, Setup, Task, failed, not_applicable, passed
from gpu_checks.inputs import draw_batch

PRODUCT, OFFICIAL, TIMM = "product", "official-style", "timm-style"
CONTENDERS = (PRODUCT, OFFICIAL, TIMM)
PRECISIONS = ("bf16", "fp16", "tf32", "fp32")
SHARE_OF_HALF = {"bf16": 1.0, "fp16": 1.0, "tf32": 0.5}
FP32_TFLOPS = {"V100": 15.7, "A100": 19.5, "H100": 67.0, "H200": 67.0}
"""Dense peak of the matrix units, as a share of that in half precision, and peak without them.

Source: NVIDIA's data sheets (SXM cards).
"""
LOSS_LIMIT = 3e-2  # of the first loss, relative: the largest difference of half precision
WARM_UP, ROUNDS, PER_ROUND = 3, 3, 4
SMALL_ROUNDS = (1, 1, 1)
EAGER_SECONDS, COMPILED_SECONDS = 8.0, 60.0


class Size(NamedTuple):
    """A tower as benchmarks/step.py builds it, and its name in open_clip."""

    case: peers.Case
    encoder: str


SIZES = {
    "B/16 224": Size(peers.Case(768, 16, 128, px=224, layers=12), "ViT-B-16-quickgelu"),
    "L/14 224": Size(peers.Case(1024, 14, 64, px=224, layers=24), "ViT-L-14-quickgelu"),
    "B/16 384": Size(peers.Case(768, 16, 32, px=384, layers=12), "ViT-B-16-quickgelu"),
}
SMALL = Size(peers.Case(64, 8, 4), "tiny")  # on a CPU


class Cell(NamedTuple):
    """A cell of the matrix."""

    size: str
    precision: str
    compiled: bool
    contender: str

    @property
    def name(self) -> str:
        mode = "compiled" if self.compiled else "eager"
        return f"throughput: {self.size} {self.precision} {mode} {self.contender}"

    @property
    def order(self) -> tuple[bool, int, bool, int]:
        """Its place: cells come first that say most about a trial; compiled peers come last."""
        return (
            self.compiled and self.contender != PRODUCT,
            PRECISIONS.index(self.precision),
            self.compiled,
            list(SIZES).index(self.size),
        )


FirstLosses = dict[str, float]  # by size: of the first cell that ran


def measure(setup: Setup, cell: Cell, first_losses: FirstLosses) -> Finding:
    """Time the steps of a cell, whose first loss must be that of the other cells of its size."""
    size = SIZES[cell.size] if setup.on_gpu else SMALL
    if reason := _reason_against(setup, cell):
        return not_applicable(reason)
    _set_matmul_precision(cell.precision)
    if setup.on_gpu:
        torch.cuda.reset_peak_memory_stats(setup.device)
    images, targets = draw_batch(size.case.batch, size.case.px, peers.CLASSES, setup.device)
    try:
        step = step_of(cell, size.case, setup.device)
        loss = float(step(images, targets))
        milliseconds = time_steps(step, images, targets)
    finally:
        if cell.compiled:
            torch.compiler.reset()  # which holds the model of this cell
    expected = first_losses.setdefault(cell.size, loss)
    figures = figures_of(setup, cell, size, milliseconds)
    if not abs(loss / expected - 1) <= LOSS_LIMIT:
        return failed(f"the first loss is {loss:.4f}, and {expected:.4f} elsewhere", **figures)
    return passed("", **figures)


def step_of(
    cell: Cell, case: peers.Case, device: torch.device
) -> Callable[[Tensor, Tensor], Tensor | float]:
    """Return the training step of a contender."""
    if cell.contender != PRODUCT:
        style = "official" if cell.contender == OFFICIAL else "timm"
        return peers.peer(case, cell.precision, style, device, cell.compiled)
    compile_ = "on" if cell.compiled else "off"
    return partial(
        train_step, peers.product_state(case, cell.precision, "fused", compile_, device), 0
    )


def time_steps(
    step: Callable[[Tensor, Tensor], Tensor | float], images: Tensor, targets: Tensor
) -> float:
    """Return the milliseconds of a step: the median of some rounds, after a warm-up."""
    on_gpu = images.device.type == "cuda"
    warm_up, rounds, per_round = (WARM_UP, ROUNDS, PER_ROUND) if on_gpu else SMALL_ROUNDS
    for _ in range(warm_up):
        step(images, targets)
    seconds = []
    for _ in range(rounds):
        synchronize(images.device)
        started = time.perf_counter()
        for _ in range(per_round):
            step(images, targets)
        synchronize(images.device)
        seconds.append((time.perf_counter() - started) / per_round)
    return 1e3 * median(seconds)


def figures_of(setup: Setup, cell: Cell, size: Size, milliseconds: float) -> dict[str, Figure]:
    """Return images a second, milliseconds, and on a GPU the share of its peak and its memory."""
    per_second = 1e3 * size.case.batch / milliseconds
    figures: dict[str, Figure] = {"img/s": round(per_second, 1), "ms": round(milliseconds, 2)}
    figures["images"] = size.case.batch
    if setup.on_gpu:
        peak = peak_tflops(torch.cuda.get_device_name(setup.device), cell.precision)
        if peak:
            used = per_second * operations_of(size) / 1e12
            figures["MFU %"] = round(100 * used / peak, 1)
        memory = torch.cuda.max_memory_allocated(setup.device)
        figures["memory GB"] = round(memory / 1e9, 2)
    return figures


def operations_of(size: Size) -> float:
    """Return the floating-point operations of a training step for an image."""
    recipe = Recipe(encoder=Encoder(name=size.encoder), resolution=size.case.px)
    passes = FORWARD_PASSES_PER_STEP * OPERATIONS_PER_MULTIPLY_ADD
    return float(passes * multiply_adds(recipe, peers.CLASSES))  # type: ignore[arg-type]


def peak_tflops(card: str, precision: str) -> float | None:
    """Return the dense peak of a card in TFLOP/s; None for an unknown card."""
    name = next((name for name in DEVICES if name in card), None)
    if name is None:
        return None
    share = SHARE_OF_HALF.get(precision)
    return FP32_TFLOPS[name] if share is None else share * DEVICES[name].peak_tflops


def _reason_against(setup: Setup, cell: Cell) -> str:
    """Return why a cell is not measured on this device; an empty string if it is."""
    check_precision(cell.precision, setup.device)
    if not setup.on_gpu and cell.precision == "fp16":
        return "fp16 is measured on GPUs"
    if not cell.compiled:
        return ""
    return why_not(setup.device.type) if setup.on_gpu else "compilation is measured on GPUs"


def _set_matmul_precision(precision: str) -> None:
    matmul = matmul_precision_of(precision)
    torch.set_float32_matmul_precision(matmul)
    torch.backends.cudnn.allow_tf32 = matmul == "high"


def matrix(device: torch.device) -> tuple[Task, ...]:
    """Return the tasks of the matrix, the most informative first; of one tower on a CPU."""
    sizes = tuple(SIZES) if device.type == "cuda" else tuple(SIZES)[:1]
    cells = [
        Cell(size, precision, compiled, contender)
        for size, precision, compiled, contender in combinations(
            sizes, PRECISIONS, (False, True), CONTENDERS
        )
    ]
    losses: FirstLosses = {}
    return tuple(
        Task(
            cell.name,
            COMPILED_SECONDS if cell.compiled else EAGER_SECONDS,
            partial(measure, cell=cell, first_losses=losses),
        )
        for cell in sorted(cells, key=lambda cell: cell.order)
    )
