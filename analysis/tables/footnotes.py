"""Footnotes of a table: its runs, selection rule, intervals, caveats and exceptional rows."""

import math
from collections.abc import Iterator

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.images.image_level import has_one_seed, image_count
from clip_hparam.analysis.evidence.provenance import code_state
from clip_hparam.analysis.evidence.published import TOWERS
from clip_hparam.analysis.evidence.replicates import replicates, sweep_of
from clip_hparam.analysis.evidence.selection import selection_accuracy, selection_effect
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.importing.notes import import_notes
from clip_hparam.analysis.frames.labels import format_done, format_names
from clip_hparam.analysis.frames.manifests import race_of

SELECTION_NOTE = (
    "Each run reports its {metric} at the selected epoch, the epoch with the best accuracy on the"
    " held-out selection set; with EMA weights where the {row} has EMA, else with raw weights."
)
INTERVALS_NOTE = (
    "Mean ± half of the 95 % t interval over seeds; differences are paired by seed. Bold: the"
    " interval of the difference excludes zero (Holm-adjusted p over the table, and intervals over"
    " seeds and test images together: csv)."
)
ONE_SEED_NOTE = (
    "One seed: ± is half of the 95 % interval over the {images:,} test images, of an accuracy"
    " (Wilson) and of a difference of two runs on the same images (McNemar). It says nothing about"
    " other seeds; seeds=3 runs three. Bold: McNemar's exact p is below 0.05 (p, and Holm-adjusted"
    " over the table: csv)."
)
PAPER_SELECTION_NOTE = (
    "Its epoch is the best on the validation set, on which it is also reported; ours is selected on"
    " held-out training images. An empty cell: no public number. A sign in brackets: our interval"
    " includes zero."
)
RACED_NOTE = (
    "Raced: {start} to {max} seeds, with more seeds where a difference was undecided. Intervals and"
    " p of differences are those of a group-sequential test, valid for any number of interim looks;"
    " ± is half of the interval."
)


def footnotes(frames: Frames, ablation: Ablation, data: pd.DataFrame) -> list[str]:
    """Return the footnotes of the table of a sweep's cells, the most important first."""
    if ablation.imported and frames.imported is not None:
        return import_notes(frames.imported, ablation.name, data)
    cells = replicates(frames, ablation)
    trials = pd.concat([cell.trials for cell in cells])
    pruned = [row for row, cell in enumerate(cells) if "pruned" in set(cell.trials["status"])]
    sweep = sweep_of(frames, ablation)
    race = race_of(sweep)
    done, planned = int(data["n"].sum()), int(data["asked"].sum())
    return [
        f"{done} of {planned} runs of sweep {sweep.name} ({sweep.sweep_id}), {code_state(trials)}.",
        SELECTION_NOTE.format(metric=ablation.metric, row=ablation.row),
        ONE_SEED_NOTE.format(images=image_count(data)) if has_one_seed(data) else INTERVALS_NOTE,
        *([RACED_NOTE.format(start=race.start, max=race.max)] if race else []),
        *([ablation.caveat] if ablation.caveat else []),
        *_paper_note(ablation, trials, data),
        *_zero_shot_note(trials),
        *_selection_note(frames, ablation, data),
        *_row_notes(ablation, data, pruned),
    ]


def _paper_note(ablation: Ablation, trials: pd.DataFrame, data: pd.DataFrame) -> Iterator[str]:
    """Yield the source of the public numbers, if a row has one."""
    if data["paper_acc1"].isna().all():
        return
    tower = f"CLIP {TOWERS[ablation.family]} on ImageNet-1k"
    if ablation.family:
        cost = "" if data["paper_v100_hours"].isna().all() else ", cost in hours of one V100"
        yield f"Paper: {ablation.paper[0].source}, {tower}{cost}. {PAPER_SELECTION_NOTE}"
        return
    done = trials[trials["status"] == "done"]
    names = done[["encoder.name", "data.name", "data.shots"]].drop_duplicates()
    ours = "; ".join(
        f"encoder {encoder} on {data} ({f'{shots:g} images per class' if shots else 'all images'})"
        for encoder, data, shots in names.itertuples(index=False)
    )
    yield (
        f"Paper: {ablation.paper[0].source}, {tower}, cost in hours of one V100. Ours:"
        f" {ours or 'no run yet'}. Compare signs, not sizes. A sign in brackets: our interval"
        " includes zero."
    )


def _zero_shot_note(trials: pd.DataFrame) -> Iterator[str]:
    """Yield the accuracy of the encoder before fine-tuning, with a head made from prompts."""
    known = trials.get("test_acc1.zero_shot", pd.Series(dtype=float)).dropna().unique()
    if len(known):
        yield f"Zero-shot, before fine-tuning: {', '.join(f'{acc1:.1f} %' for acc1 in known)}."


def _selection_note(frames: Frames, ablation: Ablation, data: pd.DataFrame) -> Iterator[str]:
    """Yield the best cell on the selection set and the bias of selecting on the test set."""
    cells = [cell for cell in replicates(frames, ablation) if cell.complete]
    if len(cells) < 2 or len(cells) < len(data) or not ablation.counts_images:
        return
    if ablation.metric_columns:  # such a cell has no selection accuracy of its own
        return
    names = [cell.cell.label for cell in cells]
    selection = [selection_accuracy(cell.trials) for cell in cells]
    if any(map(math.isnan, selection)):
        return
    test = pd.Series([cell.values.mean() for cell in cells], index=names)
    effect = selection_effect(pd.Series(selection, index=names), test)
    yield (
        f"Best on the selection set: {effect.chosen}, test accuracy {effect.reported:.2f}. Best on"
        f" the test set: {effect.claimed_for}, test accuracy {effect.claimed:.2f}; selecting on the"
        f" test set would report {effect.optimism:.2f} points more."
    )


def _row_notes(ablation: Ablation, data: pd.DataFrame, pruned: list[int]) -> Iterator[str]:
    """Yield a note for each row that is incomplete, lacks an interval or has other provenance.

    Pruned rows share one note, and so do rows with the same reason.
    """
    one_seed = has_one_seed(data)
    if pruned:
        yield (
            "No mean, because trials were pruned when others were better at the same epoch:"
            f" {len(pruned)} of {len(data)} {ablation.row}s."
        )
    shared: dict[str, list[str]] = {}
    for _, row in data.drop(index=pruned).iterrows():
        for reason in _reasons(row, one_seed):
            shared.setdefault(reason, []).append(str(row[ablation.row]))
    for reason, names in shared.items():
        yield f"{format_names(names)}{reason}"


def _reasons(row: pd.Series, one_seed: bool) -> Iterator[str]:
    """Yield what a note says after the name of the row."""
    if row["n"] < row["asked"]:
        yield f": {format_done(row['n'], row['asked'])} runs are done, so there is no mean yet."
    elif one_seed:
        if math.isnan(row["ci_images_low"]):
            yield ": one seed, and no record of the single test images: no interval."
    elif not math.isnan(row["images_p"]):
        p = f"{row['images_p']:.2g}"
        yield f": one seed a side; McNemar's test over test images alone: p = {p}."
    elif row["why"]:
        yield f": {row['why']}."
    elif row["delta_why"] not in {"", "first row", "incomplete"}:
        yield f" (difference): {row['delta_why']}."
    if row["differs"]:
        yield f": {row['differs']} not as in most runs of this table."
