"""Compare two cells image by image, from correct.npz: one bit per test image and trial."""

import math

import pandas as pd

from clip_hparam.analysis.evidence.images.correct_bits import reported_bits
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.stats.binomial import mcnemar
from clip_hparam.analysis.stats.bootstrap import seed_image_interval

MISSING_COLUMNS = {"both_low": math.nan, "both_high": math.nan, "images_p": math.nan}


def image_level_columns(after: pd.DataFrame, before: pd.DataFrame | None) -> dict[str, float]:
    """Return `both_low`, `both_high` and `images_p` of two cells; index of both: seed.

    both_low, both_high: interval of the difference if seeds and test images vary. images_p:
    McNemar's p if only one seed is in common; it holds for this seed only. NaN if correct.npz is
    missing or `before` is None.
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
        return {**MISSING_COLUMNS, "images_p": mcnemar(ours[0], theirs[0]).p}
    interval = seed_image_interval(ours, theirs)
    return {**MISSING_COLUMNS, "both_low": interval.low, "both_high": interval.high}
