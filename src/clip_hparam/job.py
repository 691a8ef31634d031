"""Job: one trial as a launcher hands it on, plain JSON on disk or down a pipe."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from clip_hparam.machine import Machine
from clip_hparam.recipe import Data, Encoder, Recipe, trial_id

KEEP = ("none", "last", "best")
EVAL_TEST = ("selected", "epoch")


@dataclass(frozen=True)
class Job:
    """A resolved recipe, where to run it, and what to keep of it.

    eval_test: "selected" tests the selected and the last epoch, "epoch" each one.
    keep_checkpoints: weights to leave in the folder: "none", "last" or "best" (the selected).
    """

    recipe: Recipe
    machine: Machine = field(default_factory=Machine)
    eval_test: str = "selected"
    keep_checkpoints: str = "none"

    def __post_init__(self) -> None:
        batch, micro = self.recipe.batch_size, self.machine.micro_batch
        if micro and batch % micro:
            best = max(size for size in range(1, min(micro, batch) + 1) if batch % size == 0)
            raise ValueError(
                f"machine.micro_batch={micro} does not divide batch_size={batch}: try {best}"
            )

    @cached_property
    def trial_id(self) -> str:
        return trial_id(self.recipe)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> "Job":
        nested = dict(tree["recipe"])
        nested["encoder"], nested["data"] = Encoder(**nested["encoder"]), Data(**nested["data"])
        rest = {name: tree[name] for name in ("eval_test", "keep_checkpoints")}
        return cls(Recipe(**nested), Machine(**tree["machine"]), **rest)
