"""The specification of one trial as launchers pass it on, by JSON on disk or through a pipe."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Encoder, Recipe, trial_id

PER_TRIAL_OPTIONS = ("eval_test", "eval_raw", "keep_checkpoints", "gpus_per_trial")
"""Driver keys that are passed on to each trial."""


@dataclass(frozen=True)
class TrialSpec:
    """A resolved recipe, the machine, and the options of the trial.

    eval_test: epochs that evaluate the test set: "selected" (and the last) or "epoch" (each).
    eval_raw: epochs that evaluate the raw weights of a trial with an EMA: "epoch" (each) or "end"
        (the last; the raw columns of the others are null).
    keep_checkpoints: weights to keep in the folder: "none", "last" or "best" (the selected epoch).
    gpus_per_trial: number of processes (ranks); each trains on its part of every micro-batch.
    worker: for a search worker instead of a trial: path of its record inside `machine.runs`.
    """

    recipe: Recipe
    machine: Machine = field(default_factory=Machine)
    eval_test: str = "selected"
    eval_raw: str = "epoch"
    keep_checkpoints: str = "none"
    gpus_per_trial: int = 1
    worker: str = ""

    def __post_init__(self) -> None:
        batch, micro = self.recipe.batch_size, self.machine.micro_batch or self.recipe.batch_size
        _check_divides("machine.micro_batch", micro, f"batch_size={batch}", batch)
        whole = f"machine.micro_batch={micro}" if micro < batch else f"batch_size={batch}"
        _check_divides("gpus_per_trial", self.gpus_per_trial, whole, micro)

    @cached_property
    def trial_id(self) -> str:
        """Name of the folder inside `machine.runs`: the trial id, or `worker`."""
        return self.worker or trial_id(self.recipe)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> "TrialSpec":
        nested = dict(tree["recipe"])
        nested["encoder"], nested["data"] = Encoder(**nested["encoder"]), Data(**nested["data"])
        # a specification that an older version wrote lacks newer options
        options = {name: tree[name] for name in PER_TRIAL_OPTIONS if name in tree}
        return cls(
            Recipe(**nested), Machine(**tree["machine"]), **options, worker=tree.get("worker", "")
        )


def _check_divides(name: str, part: int, whole: str, size: int) -> None:
    """Raise ValueError that states the largest legal number, unless `part` divides `size`."""
    if size % part:
        best = max(fits for fits in range(1, min(part, size) + 1) if size % fits == 0)
        raise ValueError(f"{name}={part} does not divide {whole}: try {best}")
