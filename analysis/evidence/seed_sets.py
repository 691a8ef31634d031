"""The same ladder on disjoint sets of seeds: which differences and signs come back?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.replicates import NotSweptError
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.config.text.count import counted, is_are
from clip_hparam.config.text.override_words import sweep_command
from clip_hparam.records.manifests.manifest import SweepManifest

SETS, SEEDS_PER_SET = 3, 10
SIGNIFICANCE_LEVEL = 0.05
LADDER = "ladder"


class Counts(NamedTuple):
    """Numbers of steps of a ladder, or the least numbers that are aimed for."""

    signs: int  # steps with the sign of the paper
    intervals: int  # steps whose 95 % interval excludes zero
    holm: int  # steps whose Holm-adjusted p is below SIGNIFICANCE_LEVEL

    def reach(self, aim: "Counts") -> bool:
        return all(mine >= wanted for mine, wanted in zip(self, aim, strict=True))


AIM = Counts(signs=5, intervals=4, holm=3)


class SeedSet(NamedTuple):
    """A ladder on one set of seeds; `data` is its `cell_evidence`."""

    seeds: tuple[int, ...]
    sweep: SweepManifest
    data: pd.DataFrame

    @property
    def name(self) -> str:
        return f"{self.seeds[0]}-{self.seeds[-1]}"

    @property
    def steps(self) -> int:
        """Number of differences with a public counterpart."""
        return int(self.data["sign_agrees"].notna().sum())

    @property
    def counts(self) -> Counts:
        return Counts(
            int(self.data["sign_agrees"].fillna(False).sum()),
            int(self.data["delta_excludes_zero"].sum()),
            int((self.data["delta_p_holm"] < SIGNIFICANCE_LEVEL).sum()),
        )


def seed_sets(per_set: int = SEEDS_PER_SET) -> list[range]:
    """Return the disjoint sets: 0 to 9, 10 to 19, 20 to 29. The only place that states them."""
    return [range(first, first + per_set) for first in range(0, SETS * per_set, per_set)]


def evidence_of_sets(frames: Frames, sets: Sequence[Sequence[int]]) -> list[SeedSet]:
    """Return the newest ladder of each set of seeds.

    Raises:
        NotSweptError: a set has no ladder on record.
        ValueError: the ladders differ in more than their seeds, or a trial is missing.
    """
    found = [_set_of(frames, tuple(seeds)) for seeds in sets]
    designs = {
        tuple((cell.label, cell.overrides) for cell in seed_set.sweep.cells) for seed_set in found
    }
    if len(designs) > 1:
        names = ", ".join(f"{seed_set.name} is {seed_set.sweep.sweep_id}" for seed_set in found)
        raise ValueError(
            f"the ladders of the sets differ in more than their seeds ({names}): run all sets with"
            " the same overrides"
        )
    return found


def _set_of(frames: Frames, seeds: tuple[int, ...]) -> SeedSet:
    ladders = [
        sweep
        for sweep in sorted(frames.sweeps, key=lambda sweep: sweep.created)
        if sweep.name == LADDER and all(tuple(cell.trials) == seeds for cell in sweep.cells)
    ]
    if not ladders:
        listed = ",".join(map(str, seeds))
        command = sweep_command("-m", f"sweeps={LADDER}", f"seeds=[{listed}]", runs=frames.runs)
        raise NotSweptError(
            f"no ladder with the seeds {seeds[0]} to {seeds[-1]} is on record: type {command}"
        )
    ablation = replace(ABLATIONS[LADDER], sweep_id=ladders[-1].sweep_id)
    data = cell_evidence(frames, ablation)
    missing = int((data["asked"] - data["n"]).sum())
    if missing:
        raise ValueError(
            f"{counted(missing, 'trial')} of the seeds {seeds[0]} to {seeds[-1]}"
            f" {is_are(missing)} not done: run the ladder again to run them"
        )
    return SeedSet(seeds, ladders[-1], data)
