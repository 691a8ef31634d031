"""Images a second of an evaluation of raw weights and their EMA."""

import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial

from torch import Tensor

from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import TEST
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.loading.eval_batch import eval_batch_size
from clip_hparam.training.evaluation import EvalResult, evaluate_models
from clip_hparam.training.train_state import TrainState
from gpu_checks.check import Figure, Finding, Setup, Task, failed, passed
from gpu_checks.inputs import B16, L14, NAMES, TINY, draw_batch, folder_recipe, state_of

CASES = {"B/16 224": (B16, 224), "L/14 224": (L14, 224)}
BATCHES = 4
SMALL_BATCH = 8
Batch = tuple[Tensor, Tensor]


def synthetic(setup: Setup, case: str) -> Finding:
    """Time evaluations of images that are on the device already."""
    name, resolution = CASES[case] if setup.on_gpu else (TINY, 32)
    state = _state(setup, name, resolution)
    size = eval_batch_size(setup.device, resolution) if setup.on_gpu else SMALL_BATCH
    images, targets = draw_batch(size, resolution, len(NAMES), setup.device)
    batch = (images, targets.argmax(1))
    _evaluate(state, iter([batch]))
    return _timed(state, iter([batch] * BATCHES), BATCHES * size, size)


def from_files(setup: Setup) -> Finding:
    """Time an evaluation of files."""
    name, resolution = CASES["B/16 224"] if setup.on_gpu else (TINY, 32)
    recipe = folder_recipe(setup, name, resolution, precision="bf16")
    state = _state(setup, name, resolution)
    workers = "auto" if setup.on_gpu else 1
    batches = Batches(recipe, load_dataset(recipe.data), workers, device=setup.device)
    with closing(batches):
        _evaluate(state, batches.evaluation(TEST))  # starts the workers
        images = len(batches.eval_sets[TEST].labels)
        return _timed(state, batches.evaluation(TEST), images, batches.eval_batch)


def _state(setup: Setup, name: str, resolution: int) -> TrainState:
    recipe = folder_recipe(setup, name, resolution, precision="bf16")
    return state_of(recipe, setup.device, len(NAMES))


def _timed(state: TrainState, batches: Iterator[Batch], images: int, size: int) -> Finding:
    """Return the images a second; the weights are those of the EMA, so the results are equal."""
    started = time.perf_counter()
    raw, average = _evaluate(state, batches)  # reads the results, so the device is idle
    seconds = time.perf_counter() - started
    figures: dict[str, Figure] = {
        "img/s": round(images / seconds, 1),
        "images": images,
        "batch": size,
        "models": 2,
    }
    if len(raw.top1_correct) != images or abs(raw.loss - average.loss) > 1e-3 * raw.loss:
        return failed("raw weights and their EMA, which are equal, disagree", **figures)
    return passed("", **figures)


def _evaluate(state: TrainState, batches: Iterator[Batch]) -> tuple[EvalResult, EvalResult]:
    scores = evaluate_models(state.eval_models, batches, state)
    return scores["raw"], scores["ema"]


TASKS = (
    *(Task(f"evaluation: {case}", 10, partial(synthetic, case=case)) for case in CASES),
    Task("evaluation: from files", 15, from_files),
)
