"""The keys of `hydra.sweeper` for a search, named as in Optuna's sweeper for Hydra."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SearchOptions:
    """Raw values from the command line; `cli.hydra_app.search_request` validates them.

    n_trials: points in total, over all commands. n_jobs: as `workers`. budget: as `budget`.
    objective, direction: a name, or a list of each. sampler, pruner: a name, or a mapping with
    `name` and arguments of Optuna's class. timeout: seconds or a duration such as 8h, after which
    no trial starts. fidelity: the cheaper value at which points are trained, by knob.
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
        """Whether these keys alone make a sweep a search."""
        return self.n_trials is not None or bool(self.params)
