"""Where the CPU time of a training step goes, by torch.profiler, and how far it is from the limit.

python benchmarks/step_profile.py [STEPS] [--cases 64 48px 192] [--eager]     prints Markdown rows

Each step is profiled by itself on one thread; the self CPU time of a group of operations is the
median over the steps, so that a step in which another process ran does not count. The limit is the
time of the matrix products of a step alone: each is repeated by itself with its operands in the
cache. --eager leaves out the compiled step, whose compilation takes 20 to 40 CPU-s.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from statistics import median
from typing import Any

import torch
from rows import Row, row_of, to_markdown
from step import Case, product_state
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from clip_hparam.training.compilation.compiler import why_not
from clip_hparam.training.engine import train_step

QUICK = ["2", "--cases", "64", "--eager"]
CASES = {"64": Case(64, 8, 25), "48px": Case(64, 8, 25, 48), "192": Case(192, 4, 32)}
REST = "autograd, views, allocation, Python"
GROUPS = {
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::mkldnn_convolution"),
    "attention": ("aten::_scaled_dot_product_flash",),
    "compiled kernels": ("## Call CompiledFxGraph", "graph_", "cpp_fused"),
    "QuickGELU": ("aten::sigmoid_", "aten::silu_backward", "aten::mul", "QuickGELUFunction"),
    "LayerNorm": ("aten::native_layer_norm",),
    "copies and concatenations": ("aten::copy_", "aten::cat"),
    "sums: gradients of biases": ("aten::sum",),
    "AdamW and EMA": ("aten::_fused_adamw_", "aten::lerp_", "Optimizer.step"),
}
PRODUCTS = GROUPS["matrix products"][:3]
REPEATS = 200


def group_of(name: str) -> str:
    """Return the group of an operation; products first, since names may begin alike."""
    return next((group for group, starts in GROUPS.items() if name.startswith(starts)), REST)


def profiled(step: Callable[[], Any]) -> tuple[Counter[str], list[Any]]:
    """Return milliseconds by group of one step, and its events."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as found:
        step()
    milliseconds: Counter[str] = Counter()
    for event in found.events():
        milliseconds[group_of(event.name)] += event.self_cpu_time_total / 1e3
    return milliseconds, list(found.events())


def fastest(call: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the CPU seconds of a call, the fastest of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(repeats):
            call()
        rounds.append((time.process_time() - started) / repeats)
    return min(rounds)


def products_of(events: list[Any]) -> Counter[tuple[int, int, int, bool]]:
    """Return how often a step multiplies (rows, inner, columns), with or without a bias."""
    found: Counter[tuple[int, int, int, bool]] = Counter()
    for event in events:
        if event.name in PRODUCTS[:2]:
            has_bias = event.name == "aten::addmm"
            left, right = event.input_shapes[has_bias : 2 + has_bias]
            found[(*left, right[1], has_bias)] += 1
    return found


def products_alone(products: Counter[tuple[int, int, int, bool]]) -> tuple[float, float]:
    """Return the seconds of all products alone, and their floating-point operations."""
    seconds = operations = 0.0
    for (rows, inner, columns, has_bias), times in products.items():
        left, right = torch.randn(rows, inner), torch.randn(columns, inner).t()
        bias = torch.randn(columns)
        call = (
            (lambda a=left, b=right, c=bias: torch.addmm(c, a, b))
            if has_bias
            else (lambda a=left, b=right: a @ b)
        )
        seconds += times * fastest(call)
        operations += 2.0 * times * rows * inner * columns
    return seconds, operations


def peak() -> float:
    """Return the floating-point operations a second of a large product on this thread."""
    left, right = torch.randn(2, 1024, 1024).unbind(0)
    return 2.0 * 1024**3 / fastest(lambda: left @ right, 4)


def steps_of(case: Case, compile_: str) -> Iterator[Callable[[], Tensor]]:
    """Yield training steps, after some that warm up."""
    state = product_state(case, "fp32", "fused", compile_)
    for number, (images, targets) in enumerate(case.batches()):
        step = lambda: train_step(state, 0, images, targets)  # noqa: B023, E731
        if number < 8:
            step()
        else:
            yield step


def rows_of(case: Case, compile_: str, steps: int, top: float) -> Iterator[Row]:
    how = "compiled" if compile_ == "on" else "eager"
    what = f"step_profile: width {case.width}, {case.px} px, batch {case.batch}, fp32, {how}"
    stepping = steps_of(case, compile_)
    plain = [1e3 * fastest(step, 1) for step in islice(stepping, steps)]
    yield row_of(what, plain, "CPU ms")
    found = [profiled(step) for step in islice(stepping, steps)]
    groups = {group for milliseconds, _ in found for group in milliseconds}
    medians = {group: median(one[group] for one, _ in found) for group in groups}
    whole = sum(medians.values())
    for group, value in sorted(medians.items(), key=lambda item: -item[1]):
        yield row_of(f"{what}, {group}", [100 * value / whole], "% of self CPU time")
    seconds, operations = products_alone(products_of(found[-1][1]))
    yield row_of(f"{what}, its products alone", [1e3 * seconds], "CPU ms")
    yield row_of(f"{what}, its products at the peak", [1e3 * operations / top], "CPU ms")


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("steps", type=int, nargs="?", default=25)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--eager", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    top = peak()
    rows = [row_of("step_profile: peak of a product of 1024 x 1024", [top / 1e9], "GFLOP/s")]
    for name in asked.cases:
        for compile_ in ("off", *(["on"] if not asked.eager and not why_not("cpu") else [])):
            rows += rows_of(CASES[name], compile_, asked.steps, top)
            print("\n".join(map(str, rows)), flush=True)
    return rows


if __name__ == "__main__":
    print(to_markdown(main()))
