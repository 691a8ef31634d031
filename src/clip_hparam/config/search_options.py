"""The keys of `hydra.sweeper` that are of a search, named as in Optuna's own sweeper."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SearchOptions:
    """As they were typed; what they may be is checked where a search is made of them.

    n_trials: points in all, over all commands. n_jobs: as `workers`. budget: as `budget`.
    objective, direction: one, or a list of each. sampler, pruner: a name, or a mapping with a name
    and arguments of Optuna's class. timeout: seconds, or 8h, after which no trial starts.
    fidelity: knob -> the cheaper value that points are trained at.
    """

    n_trials: Any = None
    n_jobs: Any = None
    study_name: Any = None
    storage: Any = None
    objective: Any = "selection_acc1"
    direction: Any = None
    sampler: Any = field(default_factory=lambda: {"name": "tpe", "seed": 0})
    pruner: Any = None
    params: Any = None
    timeout: Any = None
    budget: Any = None
    fidelity: Any = None

    @property
    def is_search(self) -> bool:
        """Whether these keys alone say that a sweep is a search."""
        return self.n_trials is not None or bool(self.params)
