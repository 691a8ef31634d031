"""What a finished run is worth: the scores of the contract's columns, bits, and cost."""

import io
import resource
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import ImageDataset
from clip_hparam.data.datasets import load_dataset
from clip_hparam.model.architectures import RANDOM, TINY, shape_of
from clip_hparam.model.normalization import CLIP_NORMALIZATION
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.records.atomic import read_json, write_atomic, write_json
from clip_hparam.records.metrics import is_minimized
from clip_hparam.records.provenance import package_versions
from clip_hparam.records.record import Record
from clip_hparam.records.user_cache import cache_path
from clip_hparam.training.engine import EvalResult, TrainState, evaluate
from clip_hparam.training.factory import create_model
from clip_hparam.training.progress import Progress, cpu_state_dict, metric_columns

EvalResults = dict[tuple[str, str, str], EvalResult]
SHIFT_HALVES = ("selection", "test")


def evaluate_selected_and_last(
    fit: TrainState, batches: Batches, progress: Progress
) -> EvalResults:
    """Scores by (split, weights, "last" | "selected"); leaves the selected weights in the models.

    Splits are "test", and the halves of data.shift as "selection_shift" and "test_shift".
    """
    models = fit.eval_models
    scores: EvalResults = {}
    for name, model in models.items():
        for split, score in _evaluate_splits(fit, batches, model).items():
            scores[split, name, "last"] = score
    is_last = progress.selected == progress.rows[-1]["epoch"]
    for name, model in models.items():
        if not is_last:
            model.load_state_dict(progress.weights[name])
        of_last = {
            split: score for (split, *rest), score in scores.items() if rest == [name, "last"]
        }
        for split, score in (of_last if is_last else _evaluate_splits(fit, batches, model)).items():
            scores[split, name, "selected"] = score
    return scores


def _evaluate_splits(fit: TrainState, batches: Batches, model: nn.Module) -> dict[str, EvalResult]:
    scores = {"test": evaluate(model, batches.test(), fit)}
    among = batches.shifted_classes
    if among is not None:
        for half in SHIFT_HALVES:
            scores[f"{half}_shift"] = evaluate(model, batches.shifted(half), fit, among)
    return scores


def evaluate_zero_shot(recipe: Recipe, fit: TrainState, batches: Batches) -> dict[str, float]:
    """Test accuracy of the encoder in words, untrained, in percent; empty where it has none.

    It is that of the first weights with head_init=zero_shot. The tiny CLIP is asked about its
    digits whatever the head is, at its own resolution.
    """
    if recipe.head_init == "zero_shot":
        model = create_model(recipe, batches.classes).to(fit.device)
        return {"test_acc1.zero_shot": evaluate(model, batches.test(), fit).acc1}
    if recipe.encoder.name != TINY or recipe.encoder.weights == RANDOM:
        return {}
    if recipe.data.name != "digits":
        return {}
    return {"test_acc1.zero_shot": 100 * _tiny_clip_zero_shot_accuracy(recipe)}


def _tiny_clip_zero_shot_accuracy(recipe: Recipe) -> float:
    """Of the digits that the tiny CLIP names right.

    Kept in the user's cache folder: 0.4 s that all trials have in common.
    """
    asked = f"{recipe.encoder.weights} {recipe.data.fingerprint} {recipe.interpolation}"
    entry = cache_path("zero_shot", f"{asked} {tiny_clip.DIGIT_PROMPTS} {package_versions()}")
    known = read_json(entry) or {}
    if "share" not in known:
        plain = with_values(recipe, {"encoder.pixels": CLIP_NORMALIZATION})  # as it was pre-trained
        native = Batches(plain, load_dataset(recipe.data)).test(shape_of(TINY).resolution)
        images, labels = (torch.cat(parts) for parts in zip(*native, strict=True))
        known = {"share": tiny_clip.zero_shot_accuracy(images, labels, tiny_clip.DIGIT_PROMPTS)}
        with suppress(OSError):
            write_json(entry, known)
    return float(known["share"])


def metrics_of(progress: Progress, scores: EvalResults) -> dict[str, float]:
    """Columns `{test,selection}_{acc1,acc5,loss}.{raw,ema}.{selected,last,best}`.

    With data.shift also `{test,selection}_shift_{acc1,acc5,loss}.{raw,ema}.{selected,last}`.
    """
    rows = progress.rows
    by_epoch = {row["epoch"]: row for row in rows}
    metrics: dict[str, float] = {}
    for column in (name for name in rows[0] if name.startswith(("test_", "selection_"))):
        best = min if is_minimized(column) else max
        metrics[f"{column}.selected"] = by_epoch[progress.selected][column]
        metrics[f"{column}.last"] = rows[-1][column]
        metrics[f"{column}.best"] = best(row[column] for row in rows)
    for (split, weights, when), score in scores.items():
        for column, value in metric_columns(split, weights, score).items():
            metrics[f"{column}.{when}"] = value
    return metrics


def write_correct_bits(record: Record, scores: EvalResults, source: ImageDataset) -> None:
    """correct.npz: a packed bit a test image for top-1 and top-5, their number `n`, and which of
    `classes` each image shows (`labels`; trials of record schema 1 may lack these two).
    """
    bits: dict[str, Any] = {
        "n": len(source.test_labels),
        "labels": source.test_labels.astype(np.min_scalar_type(len(source.classes))),
        "classes": np.array(source.classes),
    }
    for (split, weights, when), score in scores.items():
        if split != "test":
            continue
        bits[f"acc1.{weights}.{when}"] = np.packbits(score.top1_correct)
        bits[f"acc5.{weights}.{when}"] = np.packbits(score.top5_correct)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **bits)
    write_atomic(record.folder / "correct.npz", buffer.getvalue())


def save_weights(which: str, record: Record, fit: TrainState, progress: Progress) -> None:
    """Leave the reported weights of the "last" or the "best" (selected) epoch in the folder."""
    if which == "none":
        return
    name, model = list(fit.eval_models.items())[-1]
    weights = progress.weights[name] if which == "best" else cpu_state_dict(model)
    write_atomic(record.folder / f"{which}.safetensors", save(weights))


def measure_cost(fit: TrainState, progress: Progress, images: int) -> dict[str, float]:
    """Seconds of all attempts, GPU-hours, peak memory of this process in MB, training speed."""
    on_gpu = fit.device.type == "cuda"
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = torch.cuda.max_memory_allocated() / 2**20 if on_gpu else kilobytes / 1024
    return {
        "seconds": progress.seconds,
        "train_seconds": progress.train_seconds,
        "gpu_hours": progress.seconds / 3600 * fit.context.world_size if on_gpu else 0.0,
        "peak_memory_mb": peak,
        "img_per_s": images / max(progress.train_seconds, 1e-9),
    }
