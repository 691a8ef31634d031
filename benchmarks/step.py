"""CPU time of a training step: the product and two peers, on the same batches, one thread.

python benchmarks/step.py [ROUNDS] [--widths 64 192 768] [--eager]     prints Markdown rows

--eager leaves out the compiled product, whose first compilation takes 20 to 40 CPU-s a row.

official-style: FT-CLIP's loop: nn.MultiheadAttention that returns its weights, AdamW and EMA tensor
by tensor, the loss read after each step. timm-style: timm's Attention, torch's default AdamW,
ModelEmaV3, the loss read after each step. All start from the same weights; their losses in fp32
must agree to 1e-6 over the first steps, or the script ends with an error.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from rows import Row, ratio_of, row_of, to_markdown
from timm.layers import Attention
from timm.loss import SoftTargetCrossEntropy
from timm.utils.model_ema import ModelEmaV2, ModelEmaV3
from torch import Tensor, nn

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.data.transforms.mixup import soft_targets
from clip_hparam.model.classifier import Classifier, freeze, init_head
from clip_hparam.model.tower import create_tower
from clip_hparam.training.compilation.compiler import why_not
from clip_hparam.training.engine import train_step
from clip_hparam.training.factory import create_train_state
from clip_hparam.training.optim.param_groups import param_groups
from clip_hparam.training.train_state import TrainState

QUICK = ["1", "--widths", "64", "--precisions", "fp32", "--eager"]
CLASSES, COMPARED, PER_ROUND = 10, 6, 4
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
HALF_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
CPU = torch.device("cpu")
RECIPE = Recipe(
    lr=1e-3, layer_decay=0.65, ema_decay=0.98, epochs=1000, data=Data(epoch_images=64), warmup=0.0
)
Step = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class Case:
    """An image tower and the size of its batches."""

    width: int
    patch: int
    batch: int
    px: int = 32
    layers: int = 6
    rounds: int = 15

    def model(self) -> Classifier:
        """Return the model with the same weights at each call."""
        vision = {"image_size": self.px, "patch_size": self.patch, "width": self.width}
        vision |= {"layers": self.layers, "head_width": 16 if self.width < 192 else 64}
        torch.manual_seed(0)
        tower = create_tower({"embed_dim": 64, "vision_cfg": vision, "quick_gelu": True})
        model = Classifier(tower, CLASSES)
        init_head(model, 1.0, 0)
        freeze(model, "patch")
        return model.train()

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images and soft targets without end."""
        generator = torch.Generator().manual_seed(1)
        while True:
            shape = (self.batch, 3, self.px, self.px)
            labels = torch.randint(CLASSES, (self.batch,), generator=generator)
            yield torch.randn(shape, generator=generator), soft_targets(labels, CLASSES, 0.1)


CASES = (Case(64, 8, 25), Case(192, 4, 32), Case(768, 16, 4, px=224, layers=12, rounds=5))
"""The bundled tower, a wider one, and the size of ViT-B/16."""


class WeightsAttention(nn.Module):
    """nn.MultiheadAttention that computes its weights, as the official model calls it."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, x: Tensor, *rest: Tensor, **options: Any) -> tuple[Tensor]:
        return (self.attention(x, x, x, need_weights=True)[0],)


class TimmAttention(nn.Module):
    """timm's Attention with the weights of an nn.MultiheadAttention."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.attention = Attention(attention.embed_dim, attention.num_heads, qkv_bias=True)
        self.attention.qkv.weight = attention.in_proj_weight
        self.attention.qkv.bias = attention.in_proj_bias
        self.attention.proj = attention.out_proj

    def forward(self, x: Tensor, *rest: Tensor, **options: Any) -> tuple[Tensor]:
        return (self.attention(x),)


def peer(
    case: Case, precision: str, style: str, device: torch.device = CPU, compiled: bool = False
) -> Step:
    """Return the training step of a peer: "official" or "timm"."""
    official = style == "official"
    model = case.model().to(device)
    groups = param_groups(
        model.named_parameters(), case.layers, RECIPE.layer_decay, RECIPE.weight_decay
    )
    scales = [group.lr_scale for group in groups]
    optimizer = torch.optim.AdamW(
        [
            {"params": list(group.parameters.values()), "weight_decay": group.weight_decay}
            for group in groups
        ],
        betas=(RECIPE.beta1, RECIPE.beta2),
        eps=RECIPE.eps,
    )
    for block in model.blocks:
        block.attn = WeightsAttention(block.attn) if official else TimmAttention(block.attn)
    ema = (ModelEmaV2 if official else ModelEmaV3)(model, decay=float(RECIPE.ema_decay))
    if compiled:
        model.compile(dynamic=False)
    criterion = SoftTargetCrossEntropy()
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")

    def step(images: Tensor, targets: Tensor) -> float:
        for group, scale in zip(optimizer.param_groups, scales, strict=True):
            group["lr"] = RECIPE.lr * scale
        with autocast(precision, device):
            loss = criterion(model(images), targets)
        value = float(loss.item())
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        ema.update(model)
        return value

    return step


def product_state(
    case: Case, precision: str, kernels: str, compile_: str, device: torch.device = CPU
) -> TrainState:
    """Return a model of this package, with one kind of kernels, ready to train."""
    recipe = replace(RECIPE, precision=precision, batch_size=case.batch)
    machine = Machine(device=device.type, kernels=kernels, compile=compile_, micro_batch=0)
    state = create_train_state(recipe, machine, case.model())  # type: ignore[arg-type]
    state.schedule[:] = RECIPE.lr
    return state


def product(case: Case, precision: str, kernels: str, compile_: str = "off") -> Step:
    """Return the training step of this package, which also returns its loss."""
    state = product_state(case, precision, kernels, compile_)

    def step(images: Tensor, targets: Tensor) -> float:
        return float(train_step(state, 0, images, targets))

    return step


def autocast(precision: str, device: torch.device = CPU) -> AbstractContextManager[None]:
    return torch.autocast(
        device.type, HALF_DTYPES.get(precision, torch.bfloat16), enabled=precision in HALF_DTYPES
    )


def contenders(case: Case, precision: str, compiled: bool = False) -> dict[str, Step]:
    steps = {
        "official-style": peer(case, precision, "official"),
        "timm-style": peer(case, precision, "timm"),
        "product, reference kernels": product(case, precision, "reference"),
        "product, fused kernels": product(case, precision, "fused"),
    }
    if compiled:
        steps["product, fused kernels + compile"] = product(case, precision, "fused", "on")
    return steps


def check_losses(case: Case) -> None:
    """Raise ArithmeticError unless all losses agree to 1e-6, relative, over the first steps."""
    steps = contenders(case, "fp32")
    batches = case.batches()
    for _ in range(COMPARED):
        images, targets = next(batches)
        losses = {name: step(images, targets) for name, step in steps.items()}
        if max(losses.values()) - min(losses.values()) > 1e-6 * max(losses.values()):
            raise ArithmeticError(f"the losses differ: {losses}")


def measure(case: Case, steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Return milliseconds a step in each of the interleaved rounds, after one that warms up."""
    batches = case.batches()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        data = [next(batches) for _ in range(PER_ROUND)]
        for name, step in steps.items():
            started = time.process_time()
            for images, targets in data:
                step(images, targets)
            times[name].append(1e3 * (time.process_time() - started) / PER_ROUND)
    return {name: values[1:] for name, values in times.items()}


def rows_of(case: Case, precision: str, times: dict[str, list[float]]) -> list[Row]:
    what = f"step: width {case.width}, patch {case.patch}, batch {case.batch}, {precision}"
    official = times["official-style"]
    rows = [row_of(f"{what}, official-style", official, "CPU ms")]
    for name, values in times.items():
        if values is not official:
            rows.append(ratio_of(f"{what}, {name}", values, official, "official-style"))
    compiled = times.get("product, fused kernels + compile")
    if compiled:
        eager = times["product, fused kernels"]
        rows.append(ratio_of(f"{what}, compile", compiled, eager, "product, fused kernels"))
    return rows


def bf16_row(case: Case, rounds: int) -> Row:
    """Return the row of a step in bf16 against the same step in fp32, fused kernels, eager."""
    steps = {precision: product(case, precision, "fused") for precision in ("fp32", "bf16")}
    times = measure(case, steps, rounds)
    what = f"step: width {case.width}, patch {case.patch}, batch {case.batch}"
    return ratio_of(
        f"{what}, bf16 against fp32, fused kernels", times["bf16"], times["fp32"], "fp32"
    )


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?")
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 192, 768])
    parser.add_argument("--precisions", nargs="+", default=list(DTYPES))
    parser.add_argument("--eager", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    compiled = not asked.eager and not why_not("cpu")
    rows: list[Row] = []
    for case in (case for case in CASES if case.width in asked.widths):
        check_losses(case)
        rounds, found = asked.rounds or case.rounds, list[Row]()
        for precision in asked.precisions:
            times = measure(case, contenders(case, precision, compiled), rounds)
            found += rows_of(case, precision, times)
        if "bf16" in asked.precisions:
            found.append(bf16_row(case, rounds))
        print("\n".join(map(str, found)), flush=True)
        rows += found
    return rows


if __name__ == "__main__":
    print(to_markdown(main()))
