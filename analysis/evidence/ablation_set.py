"""Evidence of the ladder and of single knobs on one data set: verdicts, and the best values."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.replicates import NotSweptError, Replicates, replicates
from clip_hparam.analysis.evidence.selection import best_cell
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.stats.intervals import Estimate, estimate, paired_differences
from clip_hparam.config.text.count import counted, is_are
from clip_hparam.config.text.override_words import sweep_command
from clip_hparam.records.manifests.manifest import SweepManifest

LADDER, FULL_RECIPE = "ladder", "weak_aug"
DESIGNS = (
    LADDER,
    *("lr", "layer_decay", "ema", "drop_path", "augment", "label_smoothing"),
    *("epochs", "resolution", "freeze", "leave_one_out"),
)
"""Shipped designs of a page of ablations, in the order in which they run."""


class KnobResult(NamedTuple):
    """The result of a design of one knob: its best value, compared with the recipe's.

    reference: label of the cell that is the recipe of the sixth rung; "" if the design has none.
    best: label of the best cell on the selection set.
    gain: test accuracy of the best cell over the reference, in points, paired by seed.
    """

    design: str
    reference: str
    best: str
    gain: Estimate

    @property
    def verdict(self) -> str:
        if not self.reference:
            return "the recipe is not a cell of this design"
        if self.best == self.reference:
            return "the recipe's value is the best"
        if self.gain.low > 0:
            return "another value is better"
        return "not distinguished from the recipe's value"


def ablation_frames(
    frames: Frames, data: str, seeds: Sequence[int], designs: Sequence[str] = DESIGNS
) -> Frames:
    """Return the frames with the newest complete sweep of each design on a data set, alone.

    Raises:
        NotSweptError: a design is not on record with this data set and these seeds.
        ValueError: a trial of a design is missing.
    """
    sweeps = [_sweep(frames, name, data, tuple(seeds)) for name in designs]
    chosen = frames._replace(sweeps=sweeps)
    for name in designs:
        evidence = cell_evidence(chosen, ablation_of(chosen, name))
        if missing := int((evidence["asked"] - evidence["n"]).sum()):
            raise ValueError(
                f"{counted(missing, 'trial')} of {name} {is_are(missing)} not done: run the same"
                " command again to run them"
            )
    return chosen


def ladder_verdicts(frames: Frames) -> pd.DataFrame:
    """Return `cell_evidence` of the steps of the ladder, with the column `verdict`."""
    data = cell_evidence(frames, ablation_of(frames, LADDER)).iloc[1:]
    return data.assign(verdict=[_verdict(row) for _, row in data.iterrows()])


def knob_results(frames: Frames) -> list[KnobResult]:
    """Return the result of each design except the ladder."""
    ladder = replicates(frames, ablation_of(frames, LADDER))
    (recipe,) = (_ids(cell) for cell in ladder if cell.cell.label == FULL_RECIPE)
    return [
        _knob_result(name, replicates(frames, ablation_of(frames, name)), recipe)
        for name in (sweep.name for sweep in frames.sweeps)
        if name != LADDER
    ]


def _knob_result(design: str, cells: Sequence[Replicates], recipe: set[str]) -> KnobResult:
    best = best_cell(cells)
    assert best is not None  # `ablation_frames` refuses a sweep with a missing trial
    reference = next((cell for cell in cells if _ids(cell) == recipe), None)
    if reference is None:
        gain = Estimate(math.nan, math.nan, math.nan, math.nan, 0, "no reference")
        return KnobResult(design, "", best.cell.label, gain)
    gain = estimate(paired_differences(best.values, reference.values))
    return KnobResult(design, reference.cell.label, best.cell.label, gain)


def _verdict(row: pd.Series) -> str:
    if pd.isna(row["sign_agrees"]):
        return "no public number"
    if not row["delta_excludes_zero"]:
        return "cannot say: the interval includes zero"
    return "agrees" if row["sign_agrees"] else "does not agree"


def _ids(cell: Replicates) -> set[str]:
    return set(cell.cell.trials.values())


def _sweep(frames: Frames, name: str, data: str, seeds: tuple[int, ...]) -> SweepManifest:
    trials = frames.trials
    own = set(trials.loc[trials["data.name"] == data, "trial_id"])
    others = set(trials["trial_id"]) - own
    found = [
        sweep
        for sweep in sorted(frames.sweeps, key=lambda sweep: sweep.created)
        if sweep.name == name
        and not sweep.family
        and own & set(sweep.trial_ids)
        and not others & set(sweep.trial_ids)
        and all(tuple(cell.trials) == seeds for cell in sweep.cells)
    ]
    if not found:
        listed = ",".join(map(str, seeds))
        words = ("-m", f"sweeps={name}", f"data={data}", f"seeds=[{listed}]")
        raise NotSweptError(
            f"{name} with data={data} and these seeds is not on record: type"
            f" {sweep_command(*words, runs=frames.runs)}"
        )
    return found[-1]
