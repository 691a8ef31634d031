"""The specification of one trial as launchers pass it on, by JSON on disk or through a pipe."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from clip_hparam.config.identity import label, trial_id, with_missing_knobs
from clip_hparam.config.machine import Machine
from clip_hparam.config.options.eval_set_words import eval_set_words
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.recipe import Data, Encoder, Recipe, flatten, knobs

PER_TRIAL_OPTIONS = (
    *("eval_test", "eval_raw", "eval_sets", "keep_checkpoints", "gpus_per_trial", "replay"),
    "tracker",
)
"""Driver keys that are passed on to each trial."""
NOT_IN_LABEL = frozenset(field.name for field in fields(SweepOptions)) | {"machine", "hydra"}
"""Top-level keys that do not change which trial runs."""


@dataclass(frozen=True)
class TrialSpec:
    """A resolved recipe, the machine, and the options of the trial.

    eval_test: epochs that evaluate the test set: "selected" (and the last) or "epoch" (each).
    eval_raw: epochs that evaluate the raw weights of a trial with an EMA: "epoch" (each) or "end"
        (the last; the raw columns of the others are null).
    eval_sets: further evaluation sets, each "NAME" or "NAME:PATH".
    keep_checkpoints: weights to keep in the folder: "none", "last" or "best" (the selected epoch).
    replay: train a done trial again if its folder lacks outputs that the options ask for.
    gpus_per_trial: number of processes (ranks); each trains on its part of every micro-batch.
    tracker: names of the trackers that follow the trial.
    overrides: typed for this trial, in Hydra's grammar; empty for a trial that code created.
    """

    recipe: Recipe
    machine: Machine = field(default_factory=Machine)
    eval_test: str = "selected"
    eval_raw: str = "epoch"
    eval_sets: tuple[str, ...] = ()
    keep_checkpoints: str = "none"
    gpus_per_trial: int = 1
    replay: bool = False
    tracker: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "eval_sets", eval_set_words(self.eval_sets))
        object.__setattr__(self, "tracker", tuple(self.tracker))  # a list where read from JSON
        batch = self.recipe.batch_size
        micro = self.machine.images_at_once(batch)
        _check_divides("machine.micro_batch", micro, f"batch_size={batch}", batch)
        whole = f"machine.micro_batch={micro}" if micro < batch else f"batch_size={batch}"
        _check_divides("gpus_per_trial", self.gpus_per_trial, whole, micro)
        if self.gpus_per_trial > 1 and self.machine.device.startswith("cuda:"):
            raise ValueError(
                f"gpus_per_trial={self.gpus_per_trial} needs a GPU for each, and"
                f" machine.device={self.machine.device} is one: try machine.device=cuda, and"
                " CUDA_VISIBLE_DEVICES=0,1,... to choose them"
            )
        _check_pairs(self.recipe, self.gpus_per_trial)

    @cached_property
    def trial_id(self) -> str:
        """Name of the folder inside `machine.runs`."""
        return trial_id(self.recipe)

    @property
    def label(self) -> str:
        """The typed overrides, "lr=1e-3,layer_decay=0.65,seed=1", without driver and machine keys.

        Without typed overrides: the knobs that differ from the defaults.
        """
        return typed_label(self.overrides) or label(self.recipe)

    @property
    def places(self) -> dict[str, str]:
        """Paths (absolute) and tags that data and weights are read from, where not the default."""
        values = flatten(self.recipe)
        unhashed = (name for name, knob in knobs().items() if not knob.metadata["hashed"])
        return {
            name: _absolute_if_path(values[name])
            for name in unhashed
            if values[name] != knobs()[name].default
        }

    def with_runs(self, runs: str) -> "TrialSpec":
        """Return the trial with its record in another folder."""
        return replace(self, machine=replace(self.machine, runs=runs))

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "worker": ""}  # a WorkerSpec has its name there

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> "TrialSpec":
        nested = with_missing_knobs(tree["recipe"])  # an older version may have submitted the job
        nested["encoder"], nested["data"] = Encoder(**nested["encoder"]), Data(**nested["data"])
        options = {name: tree[name] for name in PER_TRIAL_OPTIONS if name in tree}
        return cls(
            Recipe(**nested),
            Machine(**tree["machine"]),
            **options,
            overrides=tuple(tree.get("overrides", ())),
        )


def typed_label(overrides: Sequence[str]) -> str:
    """Return the overrides that decide which trial runs, separated by commas; paths come last."""
    return ",".join(sorted(trial_words(overrides), key=_is_place))


def trial_words(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that change which trial runs: no driver key, no machine, no launcher."""
    return [word for word in overrides if _top_level_key(word) not in NOT_IN_LABEL]


def _top_level_key(override: str) -> str:
    return re.split("[./=]", override.lstrip("+~"), maxsplit=1)[0]


def _is_place(override: str) -> bool:
    knob = knobs().get(override.partition("=")[0])
    return knob is not None and not knob.metadata["hashed"]


def _absolute_if_path(value: str) -> str:
    """Return the absolute path of an existing FILE, FILE:KEY or folder; another text as it is."""
    path = Path(value).expanduser()
    exists = path.exists() or Path(str(path).rpartition(":")[0]).is_file()
    return str(path.absolute()) if exists else value


def _check_divides(name: str, part: int, whole: str, size: int) -> None:
    """Raise ValueError that states the largest legal number, unless `part` divides `size`."""
    if size % part:
        best = max(fits for fits in range(1, min(part, size) + 1) if size % fits == 0)
        raise ValueError(f"{name}={part} does not divide {whole}: try {best}")


def _check_pairs(recipe: Recipe, ranks: int) -> None:
    """Raise ValueError if mixup or cutmix pairs a row of one rank with a row of another."""
    mixed = (recipe.mixup or recipe.cutmix) and recipe.mix_pairs == "adjacent"
    if mixed and recipe.batch_size // ranks % 2:
        pairs = recipe.batch_size // 2
        best = max(fits for fits in range(1, ranks + 1) if pairs % fits == 0)
        raise ValueError(
            f"gpus_per_trial={ranks} gives each process {recipe.batch_size // ranks} of"
            f" batch_size={recipe.batch_size} images, and mixup and cutmix mix pairs of them: try"
            f" gpus_per_trial={best}, or mix_pairs=mirrored"
        )
