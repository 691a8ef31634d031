"""Predict the cost of a sweep from records or a short timing, and compare it with the budget."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.text import duration
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import Capacity, Launcher
from clip_hparam.launch.local import processes
from clip_hparam.launch.local.pool import WorkerPool
from clip_hparam.launch.resources import local_device_name
from clip_hparam.planning.estimates import cost
from clip_hparam.planning.estimates.cost import CostEstimate, TrialCost
from clip_hparam.planning.estimates.cost_key import CostKey, key_of_spec
from clip_hparam.planning.estimates.throughput import DEVICES, describe_device
from clip_hparam.sweep.sweep import Sweep

Predictions = dict[str, CostEstimate | None]
"""Predicted cost by trial id; None where nothing is known."""


def predict_costs(sweep: Sweep, done: set[str], measure: bool, launcher: Launcher) -> Predictions:
    """Return the predicted cost of each trial that is not done.

    measure: time three steps of a trial where no similar trial is on record; without it such
    predictions are None for the miniature, and by arithmetic for the other families.
    """
    costs = cost.load_costs(sweep.runs)
    left = {name: spec for name, spec in sweep.specs.items() if name not in done}
    if not left:
        return {}
    device = sweep.planned[0].spec.machine.device
    name = "" if launcher.survives_driver else local_device_name(device)
    if measure:
        costs += _time_missing(left.values(), costs, name, isinstance(launcher, WorkerPool))
    throughput = DEVICES.get(sweep.device_name)
    return {id_: cost.predict(spec, costs, throughput, name) for id_, spec in left.items()}


def _time_missing(
    specs: Iterable[TrialSpec], costs: Sequence[TrialCost], device_name: str, forked: bool
) -> Iterator[TrialCost]:
    """Time a trial of each encoder, data set and key that has no cost on record."""
    timed: set[tuple[str, str, CostKey]] = set()
    for spec in specs:
        encoder, data = spec.recipe.encoder.name, spec.recipe.data.name
        key = key_of_spec(spec, device_name)
        if (encoder, data, key) in timed or cost.predict(spec, costs, device_name=device_name):
            continue
        timed.add((encoder, data, key))
        print_wrapped(
            f"no trial of {encoder} on {data} is on record ({key}): three steps are timed"
        )
        measured = processes.time_in_subprocess(spec, forked)
        if measured is not None:
            yield replace(measured, key=key, is_probe=True)


def describe_sources(predictions: Predictions, device_name: str) -> list[str]:
    """Return a sentence for each source of the predictions, in the order of the trials.

    device_name: the GPU of predictions by arithmetic.
    """
    sentences: dict[str, None] = {}
    for prediction in filter(None, predictions.values()):
        if prediction.source == "records":
            sentences[f"predicted from trials on record ({prediction.key})"] = None
        elif prediction.source == "probe":
            sentences[f"predicted from three steps that were timed ({prediction.key})"] = None
        else:
            sentences[describe_device(device_name)] = None
    return list(sentences)


def validate_budget(options: SweepOptions, predictions: Predictions, capacity: Capacity) -> None:
    """Raise ValueError for a sweep whose predicted time is unknown or exceeds the budget."""
    allowed = duration.parse_duration(options.budget)
    if None in predictions.values():
        raise ValueError(
            f"budget={options.budget} cannot be checked: no trial of this encoder and data is on"
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
