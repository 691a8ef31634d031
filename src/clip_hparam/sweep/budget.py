"""What a sweep will cost: by its records, or by three steps of a trial where there are none."""

from collections.abc import Iterable, Iterator

from clip_hparam.config import duration
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import Capacity
from clip_hparam.launch.local import processes
from clip_hparam.planning import cost
from clip_hparam.planning.cost import TrialCost
from clip_hparam.sweep.sweep import Sweep


def predict_costs(sweep: Sweep, done: set[str], probing: bool) -> dict[str, float | None]:
    """Seconds of each trial that is left, None where nothing like it was ever run here.

    `probing`: then a few steps of it are run, which writes nothing.
    """
    known = cost.load_costs(sweep.runs)
    left = {name: job for name, job in sweep.jobs.items() if name not in done}
    if probing:
        known += _time_missing(left.values(), known)
    return {
        name: cost.predict_seconds(as_resolved(job.recipe), known) for name, job in left.items()
    }


def _time_missing(jobs: Iterable[TrialSpec], known: Iterable[TrialCost]) -> Iterator[TrialCost]:
    """One trial of each encoder and data that nothing is known of."""
    seen = {(one.encoder, one.data) for one in known}
    for job in jobs:
        kind = (job.recipe.encoder.name, job.recipe.data.name)
        if kind in seen:
            continue
        seen.add(kind)
        print(f"no trial of {kind[0]} on {kind[1]} is on record: three steps are timed")
        found = processes.time_in_subprocess(job)
        if found is not None:
            yield found


def validate_budget(driver: SweepOptions, seconds: dict[str, float | None], room: Capacity) -> None:
    """Raises ValueError for a sweep that would take longer than it may, or may."""
    allowed = duration.parse_duration(driver.budget)
    if None in seconds.values():
        raise ValueError(
            f"budget={driver.budget} cannot be held: no trial of this encoder and data is on record"
            " to predict from, and none can be timed here; run one cell first"
        )
    wanted = sum(filter(None, seconds.values())) / room.at_once
    if wanted > allowed:
        raise ValueError(
            f"budget={driver.budget} is less than the predicted {duration.format_duration(wanted)}"
            f" {room.description}: try fewer seeds, or"
            f" budget={wanted / 60 + 1:.0f}m"
        )
