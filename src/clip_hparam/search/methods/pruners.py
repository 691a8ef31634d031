"""Optuna's pruners, by their names in the literature. A new pruner is one entry of PRUNERS."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from optuna import pruners
from optuna.pruners import BasePruner

from clip_hparam.search.methods.optuna_options import Options, create_from_options, validate_name
from clip_hparam.search.objective import Objective

ASHA_RUNGS = 2  # rungs of successive halving before the last epoch
MIN_WILCOXON_SEEDS = 3  # replicates that the Wilcoxon test needs


@dataclass(frozen=True)
class PrunerEntry:
    """A pruner's class; `defaults` maps (first rung, reduction factor, epochs) to arguments."""

    create: Callable[..., BasePruner]
    defaults: Callable[[int, int, int], dict[str, Any]] = lambda first, factor, epochs: {}


PRUNERS = {
    "asha": PrunerEntry(
        pruners.SuccessiveHalvingPruner,
        lambda first, factor, epochs: {"reduction_factor": factor, "min_resource": first},
    ),
    "hyperband": PrunerEntry(
        pruners.HyperbandPruner,
        lambda first, factor, epochs: {
            "reduction_factor": factor,
            "min_resource": first,
            "max_resource": max(epochs, first),
        },
    ),
    "median": PrunerEntry(
        pruners.MedianPruner, lambda first, factor, epochs: {"n_warmup_steps": first}
    ),
    "percentile": PrunerEntry(
        pruners.PercentilePruner,
        lambda first, factor, epochs: {"percentile": 25.0, "n_warmup_steps": first},
    ),
    "wilcoxon": PrunerEntry(pruners.WilcoxonPruner),
    "none": PrunerEntry(pruners.NopPruner),
}


def create_pruner(
    options: Options, goal: Objective, epochs: int, warmup: float, seeds: int
) -> BasePruner:
    """Return the pruner for trials of `epochs` epochs, a share `warmup` of which is warm-up.

    Raises:
        ValueError: an unknown name or argument, or a pruner that does not fit the search.
    """
    name = options["name"]
    validate_name("pruner", name, PRUNERS)
    if name != "none" and not goal.has_curve:
        several = (
            "several objectives" if goal.is_multi_objective else f"objective={goal.objectives[0]}"
        )
        raise ValueError(
            f"pruner={name} compares one learning curve, and {several} has none: try pruner=none"
        )
    if name == "wilcoxon" and seeds < MIN_WILCOXON_SEEDS:
        raise ValueError("pruner=wilcoxon compares points over their seeds: try seeds=5")
    defaults = PRUNERS[name].defaults(*asha_rungs(options, epochs, warmup), epochs)
    pruner: BasePruner = create_from_options("pruner", PRUNERS[name].create, options, defaults)
    return pruner


def asha_rungs(options: Options, epochs: int, warmup: float) -> tuple[int, int]:
    """Return the epochs of the first rung of successive halving and the reduction factor.

    The default first rung is at a ninth of the epochs, but not before one epoch at the full
    learning rate has ended: during the warm-up a larger learning rate looks better.
    Source: benchmarks/RESULTS.md.
    """
    factor = int(options.get("reduction_factor") or 3)
    early = max(round(epochs / factor**ASHA_RUNGS), math.ceil(warmup * epochs) + 1)
    return int(options.get("min_resource") or min(early, epochs)), factor
