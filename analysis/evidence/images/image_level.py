"""Compare two cells image by image, from correct.npz: one bit per test image and trial."""

import math

import pandas as pd

from clip_hparam.analysis.evidence.images.correct_bits import count_images, reported_bits
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.stats.binomial import mcnemar, wilson_interval
from clip_hparam.analysis.stats.bootstrap import seed_image_interval
from clip_hparam.analysis.stats.intervals import CONFIDENCE_LEVEL

NAN = math.nan
MISSING_COLUMNS = {
    "both_low": NAN, "both_high": NAN, "images_low": NAN, "images_high": NAN, "images_p": NAN,
}  # fmt: skip
MISSING_LEVEL = {"images": NAN, "ci_images_low": NAN, "ci_images_high": NAN}
BY_IMAGES = {
    "ci_low": "ci_images_low", "ci_high": "ci_images_high",
    "delta_low": "images_low", "delta_high": "images_high",
    "delta_p": "images_p", "delta_p_holm": "images_p_holm",
}  # fmt: skip
"""Columns over seeds, and those over test images that stand for them with one seed."""
OF_ONE_SEED = (*MISSING_LEVEL, "images_low", "images_high", "images_p_holm")


def image_level_columns(after: pd.DataFrame, before: pd.DataFrame | None) -> dict[str, float]:
    """Return the columns of two cells that count test images; index of both: seed.

    both_low, both_high: interval of the difference if seeds and test images vary. If only one seed
    is in common: images_low, images_high, the interval of the difference over paired test images,
    and images_p, McNemar's p; they hold for this seed only. NaN if correct.npz is missing or
    `before` is None.
    """
    if before is None:
        return MISSING_COLUMNS
    seeds = after.index.intersection(before.index)
    try:
        ours, theirs = (reported_bits(trials.loc[seeds]) for trials in (after, before))
    except UnreadableError:
        return MISSING_COLUMNS
    if ours.shape != theirs.shape or not len(seeds):
        return MISSING_COLUMNS
    if len(seeds) == 1:
        paired = mcnemar(ours[0], theirs[0])
        low, high = paired.interval
        return {**MISSING_COLUMNS, "images_low": low, "images_high": high, "images_p": paired.p}
    interval = seed_image_interval(ours, theirs)
    return {**MISSING_COLUMNS, "both_low": interval.low, "both_high": interval.high}


def image_level_accuracy(trials: pd.DataFrame, acc1: float) -> dict[str, float]:
    """Return the number of test images of a cell of one seed and the interval over them.

    acc1: its accuracy in percent. NaN with several seeds, or without correct.npz.
    """
    images = count_images(trials) if len(trials) == 1 and not math.isnan(acc1) else None
    if not images:
        return MISSING_LEVEL
    low, high = wilson_interval(acc1, images)
    return {"images": images, "ci_images_low": low, "ci_images_high": high}


def has_one_seed(data: pd.DataFrame) -> bool:
    """Return whether each cell of `cell_evidence` has one seed, and intervals over test images."""
    return bool((data["asked"] == 1).all() and data["ci_images_low"].notna().any())


def by_images(data: pd.DataFrame) -> pd.DataFrame:
    """Return `cell_evidence` with intervals over test images where each cell has one seed.

    Then `delta_excludes_zero` is the verdict of McNemar's exact test, which is stricter than the
    interval where few images differ.
    """
    if not has_one_seed(data):
        return data
    shown = data.assign(**{column: data[source] for column, source in BY_IMAGES.items()})
    return shown.assign(delta_excludes_zero=shown["images_p"] < 1 - CONFIDENCE_LEVEL)


def without_unused(data: pd.DataFrame) -> pd.DataFrame:
    """Return `cell_evidence` without the columns that only cells of one seed have."""
    return data if has_one_seed(data) else data.drop(columns=list(OF_ONE_SEED))


def image_count(data: pd.DataFrame) -> int:
    """Return the largest number of test images of the cells; 0 if it is unknown."""
    return 0 if data["images"].isna().all() else int(data["images"].max())
