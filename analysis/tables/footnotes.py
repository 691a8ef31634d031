"""What a reader must know to believe a table: runs, selection rule, intervals, scale, oddities."""

import math
from collections.abc import Iterator

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import replicates, sweep_of
from clip_hparam.analysis.evidence.provenance import code_state
from clip_hparam.analysis.evidence.selection import selection_accuracy, selection_effect
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_done
from clip_hparam.analysis.frames.manifests import race_of

SELECTION_NOTE = (
    "The number of a run is its {metric} at the selected epoch, the one with the best accuracy on"
    " the held-out selection set: of the EMA weights where the {row} has EMA, else of the raw ones."
)
INTERVALS_NOTE = (
    "Mean ± half of the 95 % t interval over seeds; differences are paired by seed. Bold: the"
    " interval of the difference excludes zero (Holm-adjusted p over the table, and intervals over"
    " seeds and test images together: csv)."
)
RACED_NOTE = (
    "Raced: from {start} seeds up to {max}, added where a difference was undecided. Intervals and p"
    " of differences are those of a group-sequential test and hold however often it looked; ± is"
    " half of them."
)


def footnotes(frames: Frames, ablation: Ablation, data: pd.DataFrame) -> list[str]:
    """Footnotes of a table, a sentence or two each, in the order of their importance."""
    cells = replicates(frames, ablation)
    trials = pd.concat([cell.trials for cell in cells])
    pruned = [place for place, cell in enumerate(cells) if "pruned" in set(cell.trials["status"])]
    sweep = sweep_of(frames, ablation)
    race = race_of(sweep)
    done, asked = int(data["n"].sum()), int(data["asked"].sum())
    return [
        f"{done} of {asked} runs of sweep {sweep.name} ({sweep.sweep_id}), {code_state(trials)}.",
        SELECTION_NOTE.format(metric=ablation.metric, row=ablation.row),
        INTERVALS_NOTE,
        *([RACED_NOTE.format(start=race.start, max=race.max)] if race else []),
        *([ablation.caveat] if ablation.caveat else []),
        *_paper_note(ablation, trials),
        *_zero_shot_note(trials),
        *_selection_note(frames, ablation, data),
        *_row_notes(ablation, data, pruned),
    ]


def _paper_note(ablation: Ablation, trials: pd.DataFrame) -> Iterator[str]:
    if not ablation.paper:
        return
    done = trials[trials["status"] == "done"]
    names = done[["encoder.name", "data.name", "data.shots"]].drop_duplicates()
    ours = "; ".join(
        f"encoder {encoder} on {data} ({f'{shots:g} images a class' if shots else 'all images'})"
        for encoder, data, shots in names.itertuples(index=False)
    )
    yield (
        f"Paper: {ablation.paper[0].source}, CLIP ViT-B/16 on ImageNet-1k, cost in hours of one"
        f" V100. Ours: {ours or 'no run yet'}. Compare signs, not sizes. A sign in brackets: our"
        " interval includes zero."
    )


def _zero_shot_note(trials: pd.DataFrame) -> Iterator[str]:
    """Where the story starts: the encoder before any fine-tuning, by prompts."""
    known = trials.get("test_acc1.zero_shot", pd.Series(dtype=float)).dropna().unique()
    if len(known):
        yield f"Zero-shot, before fine-tuning: {', '.join(f'{acc1:.1f} %' for acc1 in known)}."


def _selection_note(frames: Frames, ablation: Ablation, data: pd.DataFrame) -> Iterator[str]:
    """What picking the best row by its test accuracy would claim, against picking it honestly."""
    cells = [cell for cell in replicates(frames, ablation) if cell.complete]
    if len(cells) < 2 or len(cells) < len(data) or ablation.metric != "test_acc1":
        return
    names = [cell.cell.label for cell in cells]
    held_out = [selection_accuracy(cell.trials) for cell in cells]
    if any(map(math.isnan, held_out)):
        return
    test = pd.Series([cell.values.mean() for cell in cells], index=names)
    effect = selection_effect(pd.Series(held_out, index=names), test)
    yield (
        f"Best on the selection set: {effect.chosen}, test accuracy {effect.reported:.2f}; picked"
        f" on the test set itself it would be {effect.claimed_for} with {effect.claimed:.2f}"
        f" ({effect.optimism:+.2f})."
    )


def _row_notes(ablation: Ablation, data: pd.DataFrame, pruned: list[int]) -> Iterator[str]:
    """A sentence for each row that is incomplete, has no interval, or has other provenance; one for
    all that were pruned.
    """
    if pruned:
        yield (
            f"Without a mean since they were pruned, being behind others at that epoch:"
            f" {len(pruned)} of {len(data)} {ablation.row}s."
        )
    for _, row in data.drop(index=pruned).iterrows():
        name = row[ablation.row]
        if row["n"] < row["asked"]:
            done = format_done(row["n"], row["asked"])
            yield f"{name}: {done} runs are done, so there is no mean yet."
        elif not math.isnan(row["images_p"]):
            p = f"p = {row['images_p']:.2g}"
            yield f"{name}: one seed a side; over test images alone {p} (McNemar)."
        elif row["why"]:
            yield f"{name}: {row['why']}."
        elif row["delta_why"] not in {"", "first row", "incomplete"}:
            yield f"{name}: of the difference, {row['delta_why']}."
        if row["differs"]:
            yield f"{name}: {row['differs']} not as in most runs of this table."
