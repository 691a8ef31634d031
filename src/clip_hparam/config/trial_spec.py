"""Job: one trial as a launcher hands it on, plain JSON on disk or down a pipe."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Encoder, Recipe, trial_id

KEEP = ("none", "last", "best")
EVAL_TEST = ("selected", "epoch")
PER_TRIAL_OPTIONS = ("eval_test", "keep_checkpoints", "gpus_per_trial")
"""Driver keys that go with each of its trials."""


@dataclass(frozen=True)
class TrialSpec:
    """A resolved recipe, where to run it, and what to keep of it.

    eval_test: "selected" tests the selected and the last epoch, "epoch" each one.
    keep_checkpoints: weights to leave in the folder: "none", "last" or "best" (the selected).
    gpus_per_trial: processes that train it together, each on its part of every micro-batch.
    worker: set, this is no trial but a worker of a search: its own record, below `machine.runs`.
    """

    recipe: Recipe
    machine: Machine = field(default_factory=Machine)
    eval_test: str = "selected"
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
        return self.worker or trial_id(self.recipe)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> "TrialSpec":
        nested = dict(tree["recipe"])
        nested["encoder"], nested["data"] = Encoder(**nested["encoder"]), Data(**nested["data"])
        rest = {name: tree[name] for name in PER_TRIAL_OPTIONS}
        return cls(
            Recipe(**nested), Machine(**tree["machine"]), **rest, worker=tree.get("worker", "")
        )


def _check_divides(name: str, part: int, whole: str, size: int) -> None:
    """Raises ValueError with the largest number that would do."""
    if size % part:
        best = max(fits for fits in range(1, min(part, size) + 1) if size % fits == 0)
        raise ValueError(f"{name}={part} does not divide {whole}: try {best}")
