"""From a cell of a manifest and its records to what the store should know of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from clip_hparam.design.design import format_value
from clip_hparam.search.results import FAILED_STATES, IMPOSSIBLE, point_results
from clip_hparam.search.samplers import asha_rungs
from clip_hparam.search.spec import SearchSpec

OPTUNA_STATES = {"done": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
BAD_POINT_STATES = ("diverged", IMPOSSIBLE)


def manifest_cell(
    number: int,
    base: Sequence[str],
    values: Mapping[str, Any],
    params: Mapping[str, Any],
    trials: Mapping[str, str],
) -> dict[str, Any]:
    """A point as a cell of the manifest; `params` are Optuna's, `trials` are ids by seed."""
    own = [f"{knob}={format_value(value)}" for knob, value in values.items()]
    cell = {"label": ",".join(own), "overrides": [*base, *own], "trials": dict(trials)}
    return {**cell, "number": number, "params": dict(params)}


def user_attributes(search: SearchSpec, trials: Iterable[str]) -> dict[str, Any]:
    """For readers of the store, such as optuna-dashboard: where the trials of a point are."""
    ids = list(trials)
    return {"trial_id": ids, "folder": [f"{search.runs.name}/{name}" for name in ids]}


def optuna_state(state: str, search: SearchSpec) -> TrialState:
    """What a trial's state is to Optuna.

    One that diverged or cannot be is a bad point, not an accident: a sampler shall learn from it.
    """
    if state in BAD_POINT_STATES:
        return TrialState.FAIL if search.goal.is_multi_objective else TrialState.PRUNED
    if state in FAILED_STATES:
        return TrialState.FAIL
    return OPTUNA_STATES.get(state, TrialState.RUNNING)


def restore_trial(search: SearchSpec, cell: Mapping[str, Any]) -> FrozenTrial:
    """A point as the store would have it, had it not forgotten it."""
    (point,) = point_results(search, [cell])
    ended = optuna_state(point.state, search)
    values: Sequence[float] | None = point.values
    if ended is TrialState.PRUNED and point.curve:
        values = [point.curve[max(point.curve)]]
    known = user_attributes(search, point.trials.values())
    if ended.is_finished():
        known |= {"seconds": point.seconds, "state": point.state}
    distributions = RecordingSuggester(cell["params"])
    search.space.suggest(distributions)
    return create_trial(
        state=ended,
        values=values,
        params=dict(cell["params"]),
        distributions=distributions.found,
        user_attrs=known,
        system_attrs=_asha_attributes(search, point.curve),
        intermediate_values=dict(point.curve),
    )


class RecordingSuggester:
    """Suggests what was suggested before, and takes down from which distribution."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params
        self.found: dict[str, BaseDistribution] = {}

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        self.found[name] = FloatDistribution(low, high, log=log)
        return float(self.params[name])

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        self.found[name] = IntDistribution(low, high, log=log)
        return int(self.params[name])

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        self.found[name] = CategoricalDistribution(choices)
        return self.params[name]


def _asha_attributes(search: SearchSpec, curve: Mapping[int, float]) -> dict[str, float]:
    """What Optuna's successive halving notes on a trial at each rung that it reaches."""
    if search.pruner["name"] != "asha":
        return {}
    first, factor = asha_rungs(search.pruner, search.epochs, search.warmup)
    found: dict[str, float] = {}
    while at := [step for step in sorted(curve) if step >= first * factor ** len(found)]:
        found[f"completed_rung_{len(found)}"] = curve[at[0]]
    return found
