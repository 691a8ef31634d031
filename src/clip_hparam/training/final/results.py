"""Results of a finished trial: metric columns, a bit for each test image, weights and cost."""

import io
import resource
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION, TEST, EvalSet, ImageDataset
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.evaluation_sets.load import PREFIX
from clip_hparam.data.prompts.dataset_prompts import tiny_prompts
from clip_hparam.model.architectures import RANDOM, BundledClip, encoder_spec, shape_of
from clip_hparam.model.normalization import CLIP_NORMALIZATION
from clip_hparam.model.tuning.plain_weights import plain_weights
from clip_hparam.records.atomic import read_json, write_atomic, write_json
from clip_hparam.records.metrics import is_minimized
from clip_hparam.records.provenance import package_versions
from clip_hparam.records.record import Record
from clip_hparam.records.user_cache import cache_path
from clip_hparam.training.checkpoints.progress import Progress, detail_columns, metric_columns
from clip_hparam.training.evaluation import evaluate
from clip_hparam.training.factory import create_model
from clip_hparam.training.final.selected_and_last import EvalResults
from clip_hparam.training.metrics.predictions import Predictions
from clip_hparam.training.train_state import TrainState


def evaluate_zero_shot(state: TrainState, batches: Batches) -> dict[str, float]:
    """Return the column `test_acc1.zero_shot`, the accuracy before training, in percent.

    With head_init=zero_shot it is the accuracy of the initial weights. Otherwise it is recorded for
    a bundled CLIP and a data set with prompts for it, at the native resolution of the encoder.
    Empty for other trials.
    """
    recipe = batches.recipe
    if recipe.head_init == "zero_shot":
        model = create_model(recipe, batches.classes, state.device).to(state.device)
        return {"test_acc1.zero_shot": evaluate(model, batches.evaluation(TEST), state).acc1}
    bundled = encoder_spec(recipe.encoder.name).bundled
    prompts = tiny_prompts(recipe.data)
    if bundled is None or prompts is None or recipe.encoder.weights == RANDOM:
        return {}
    return {"test_acc1.zero_shot": 100 * _bundled_zero_shot_accuracy(recipe, bundled, prompts)}


def _bundled_zero_shot_accuracy(
    recipe: ResolvedRecipe, bundled: BundledClip, prompts: Sequence[list[str]]
) -> float:
    """Return the zero-shot accuracy of a bundled CLIP on the test set, in [0, 1].

    It is kept in the user's cache folder, which saves each trial 0.4 s.
    """
    pixels = f"{recipe.data.fingerprint} {recipe.interpolation} {recipe.augment_backend}"
    key = f"{recipe.encoder.weights} {pixels} {prompts} {package_versions()}"
    entry = cache_path("zero_shot", key)
    cached = read_json(entry) or {}
    if "share" not in cached:
        # bundled CLIPs were pre-trained with CLIP's normalization
        pretrained = replace(recipe, encoder=replace(recipe.encoder, pixels=CLIP_NORMALIZATION))
        native = shape_of(recipe.encoder.name).resolution
        test = Batches(pretrained, load_dataset(recipe.data)).evaluation(TEST, native)
        images, labels = (torch.cat(parts) for parts in zip(*test, strict=True))
        cached = {"share": bundled.zero_shot_accuracy(images, labels, prompts)}
        with suppress(OSError):
            write_json(entry, cached)
    return float(cached["share"])


def metrics_of(progress: Progress, scores: EvalResults) -> dict[str, float | None]:
    """Return the metric columns of result.json.

    `{test,selection}_{acc1,acc5,loss}.{raw,ema}.{selected,last,best}`; with data.shift also
    `{test,selection}_shift_{acc1,acc5,loss}.{raw,ema}.{selected,last}`. None where eval_raw=end
    left out an epoch. The metrics of `metrics.registry` have the columns
    `{test,selection}_{metric}.{raw,ema}.{selected,last}`. All metrics of the sets of the driver key
    eval_sets are `eval.<name>.<metric>.{raw,ema}.{selected,last}`.
    """
    rows = progress.rows
    by_epoch = {row["epoch"]: row for row in rows}
    metrics: dict[str, float | None] = {}
    for column in (name for name in rows[0] if name.startswith(("test_", "selection_"))):
        best = min if is_minimized(column) else max
        metrics[f"{column}.selected"] = by_epoch[progress.selected][column]
        metrics[f"{column}.last"] = rows[-1][column]
        values = [row[column] for row in rows]
        metrics[f"{column}.best"] = None if None in values else best(values)
    for (split, weights, when), score in scores.items():
        # the rows of the epochs have the accuracy and the loss on the selection set
        measured = {} if split == SELECTION else metric_columns(split, weights, score)
        for column, value in {**measured, **detail_columns(split, weights, score)}.items():
            metrics[f"{column}.{when}"] = value
    return metrics


def reported_predictions(scores: EvalResults, weights: str) -> dict[str, Predictions]:
    """Return the predictions of the reported weights at the selected epoch, by set.

    The selection set, which may differ from seed to seed, is left out.
    """
    return {
        split: score.predictions
        for (split, name, when), score in scores.items()
        if (name, when) == (weights, "selected") and split != SELECTION and score.predictions
    }


def eval_set_facts(sets: Mapping[str, EvalSet]) -> dict[str, Any]:
    """Return the entry `eval_sets` of result.json: facts by name; empty without such sets."""
    facts = {
        name.removeprefix(PREFIX): {
            "fingerprint": eval_set.fingerprint,
            "images": len(eval_set.labels),
            "classes": len(eval_set.class_names),
            "zero_shot": eval_set.zero_shot,
        }
        for name, eval_set in sets.items()
        if name.startswith(PREFIX)
    }
    return {"eval_sets": facts} if facts else {}


def write_correct_bits(record: Record, scores: EvalResults, dataset: ImageDataset) -> None:
    """Write correct.npz: for each test image a packed bit for top-1 and one for top-5.

    Also the number `n` of test images, their `labels` and the names of the `classes`; early trials
    of record schema 1 lack the last two.
    """
    labels = dataset.test.labels
    bits: dict[str, Any] = {
        "n": len(labels),
        "labels": labels.astype(np.min_scalar_type(len(dataset.classes))),
        "classes": np.array(dataset.classes),
    }
    for (split, weights, when), score in scores.items():
        if split != TEST:
            continue
        bits[f"acc1.{weights}.{when}"] = np.packbits(score.top1_correct)
        bits[f"acc5.{weights}.{when}"] = np.packbits(score.top5_correct)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **bits)
    write_atomic(record.folder / "correct.npz", buffer.getvalue())


def save_weights(which: str, record: Record, state: TrainState, progress: Progress) -> None:
    """Write the reported weights of the "last" or the "best" (selected) epoch to the folder.

    Low-rank updates and a logit scale are merged, so that all trials have files of one layout.
    which: "none" writes nothing.
    """
    if which == "none":
        return
    name = state.reported_weights
    model = state.eval_models[name]
    weights = {key: tensor.cpu() for key, tensor in model.state_dict().items()}
    if which == "best":
        parts = state.weights.split(progress.selected_weights[name])
        named = zip(state.weights.names, parts, strict=True)
        weights |= {key: part.view_as(weights[key]) for key, part in named}
    write_atomic(record.folder / f"{which}.safetensors", save(plain_weights(model, weights)))


def measure_cost(state: TrainState, progress: Progress, images: int) -> dict[str, float]:
    """Return the cost of all attempts: seconds, GPU-hours, peak memory in MiB, images per second.

    images: number of training images of all epochs. Memory is that of this process, on the GPU if
    there is one.
    """
    on_gpu = state.device.type == "cuda"
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = torch.cuda.max_memory_allocated(state.device) / 2**20 if on_gpu else kilobytes / 1024
    return {
        "seconds": progress.seconds,
        "train_seconds": progress.train_seconds,
        "gpu_hours": progress.seconds / 3600 * state.context.world_size if on_gpu else 0.0,
        "peak_memory_mb": peak,
        "img_per_s": images / max(progress.train_seconds, 1e-9),
    }
