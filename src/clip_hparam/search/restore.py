"""Cells of the manifest, and Optuna trials rebuilt from them and the records."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from clip_hparam.config.text.override_words import format_override
from clip_hparam.records.state import TrialState
from clip_hparam.search.methods.pruners import asha_rungs
from clip_hparam.search.results import FAILED_STATES, IMPOSSIBLE, point_results
from clip_hparam.search.spec import SearchSpec

OPTUNA_STATES: dict[str, OptunaState] = {
    TrialState.DONE: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
}
BAD_POINT_STATES = (TrialState.DIVERGED, IMPOSSIBLE)


def manifest_cell(
    number: int,
    base: Sequence[str],
    values: Mapping[str, Any],
    params: Mapping[str, Any],
    trials: Mapping[str, str],
) -> dict[str, Any]:
    """Return the manifest cell of a point.

    base: overrides that all points share. values: of the searched knobs. params: as Optuna
    suggested them. trials: trial ids by seed.
    """
    label = ",".join(f"{knob}={value}" for knob, value in values.items())
    searched = [format_override(knob, value) for knob, value in values.items()]
    cell = {"label": label, "overrides": [*base, *searched], "trials": dict(trials)}
    return {**cell, "number": number, "params": dict(params)}


def user_attributes(search: SearchSpec, cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts about a point for tools such as optuna-dashboard.

    trial_id, folder: of each of its trials. typed: the values as they are typed, since Optuna's
    parameters have more digits.
    """
    ids = list(cell["trials"].values())
    folders = [f"{search.runs.name}/{name}" for name in ids]
    return {"trial_id": ids, "folder": folders, "typed": cell["label"]}


def optuna_state(state: str, search: SearchSpec) -> OptunaState:
    """Return Optuna's state for the state of a trial.

    Diverged and impossible points count as pruned, so that the sampler learns to avoid them. With
    several objectives Optuna does not prune; they fail instead.
    """
    if state in BAD_POINT_STATES:
        return OptunaState.FAIL if search.goal.is_multi_objective else OptunaState.PRUNED
    if state in FAILED_STATES:
        return OptunaState.FAIL
    return OPTUNA_STATES.get(state, OptunaState.RUNNING)


def restore_trial(search: SearchSpec, cell: Mapping[str, Any]) -> FrozenTrial:
    """Rebuild Optuna's trial for a point that is missing from the storage."""
    (point,) = point_results(search, [cell])
    state = optuna_state(point.state, search)
    values: Sequence[float] | None = point.values
    if state is OptunaState.PRUNED and point.curve:
        values = [point.curve[max(point.curve)]]
    attributes = user_attributes(search, cell)
    if state.is_finished():
        attributes |= {"seconds": point.seconds, "state": point.state}
    suggester = RecordingSuggester(cell["params"])
    search.space.suggest(suggester)
    return create_trial(
        state=state,
        values=values,
        params=dict(cell["params"]),
        distributions=suggester.distributions,
        user_attrs=attributes,
        system_attrs=_asha_attributes(search, point.curve),
        intermediate_values=dict(point.curve),
    )


class RecordingSuggester:
    """Suggester that repeats known parameters and records their distributions."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params
        self.distributions: dict[str, BaseDistribution] = {}

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        self.distributions[name] = FloatDistribution(low, high, log=log)
        return float(self.params[name])

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        self.distributions[name] = IntDistribution(low, high, log=log)
        return int(self.params[name])

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        self.distributions[name] = CategoricalDistribution(choices)
        return self.params[name]


def _asha_attributes(search: SearchSpec, curve: Mapping[int, float]) -> dict[str, float]:
    """Return the attributes that Optuna's successive halving sets on a trial at each rung."""
    if search.pruner["name"] != "asha":
        return {}
    first, factor = asha_rungs(search.pruner, search.max_epochs, search.max_warmup)
    rungs: dict[str, float] = {}
    while steps := [step for step in sorted(curve) if step >= first * factor ** len(rungs)]:
        rungs[f"completed_rung_{len(rungs)}"] = curve[steps[0]]
    return rungs
