"""Predict the cost of a sweep from records or a short timing, and compare it with the budget."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from clip_hparam.config import duration
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import Capacity
from clip_hparam.launch.local import processes
from clip_hparam.planning import cost
from clip_hparam.planning.cost import CostEstimate, TrialCost
from clip_hparam.planning.throughput import DEVICES
from clip_hparam.sweep.sweep import Sweep

Predictions = dict[str, CostEstimate | None]
"""Predicted cost by trial id; None where nothing is known."""


def predict_costs(sweep: Sweep, done: set[str], measure: bool) -> Predictions:
    """Return the predicted cost of each trial that is not done.

    measure: time three steps of a trial where no similar trial is on record; without it such
    predictions are None for the miniature, and by arithmetic for the other families.
    """
    costs = cost.load_costs(sweep.runs)
    left = {name: spec for name, spec in sweep.specs.items() if name not in done}
    if measure:
        costs += _time_missing(left.values(), costs)
    device = DEVICES.get(sweep.device_name)
    return {name: cost.predict(spec, costs, device) for name, spec in left.items()}


def _time_missing(specs: Iterable[TrialSpec], costs: Iterable[TrialCost]) -> Iterator[TrialCost]:
    """Time a trial of each pair of encoder and data set that has no cost on record."""
    timed = {(trial.encoder, trial.data) for trial in costs}
    for spec in specs:
        encoder, data = spec.recipe.encoder.name, spec.recipe.data.name
        if (encoder, data) in timed:
            continue
        timed.add((encoder, data))
        print(f"no trial of {encoder} on {data} is on record: three steps are timed")
        measured = processes.time_in_subprocess(spec)
        if measured is not None:
            yield replace(measured, is_probe=True)


def validate_budget(options: SweepOptions, predictions: Predictions, capacity: Capacity) -> None:
    """Raise ValueError for a sweep whose predicted time is unknown or exceeds the budget."""
    allowed = duration.parse_duration(options.budget)
    if None in predictions.values():
        raise ValueError(
            f"budget={options.budget} cannot be held: no trial of this encoder and data is on"
            " record to predict from, and none can be timed here; run one cell first"
        )
    known = [prediction for prediction in predictions.values() if prediction]
    predicted = sum(prediction.seconds for prediction in known) / capacity.at_once
    if predicted > allowed:
        raise ValueError(
            f"budget={options.budget} is less than the predicted"
            f" {duration.format_duration(predicted)} {capacity.description}: try fewer seeds, or"
            f" budget={predicted / 60 + 1:.0f}m"
        )
