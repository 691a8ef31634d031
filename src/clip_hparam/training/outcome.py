"""The return value of a trial."""

from typing import Any, NamedTuple

from clip_hparam.records.state import TrialState


class TrialOutcome(NamedTuple):
    """How an attempt at a trial ended.

    result: content of result.json if the state is "done" and this is rank 0, else None.
    failure: kind and message of failure.json if the trial failed, diverged or lost a rank.
    """

    state: TrialState
    result: dict[str, Any] | None = None
    failure: dict[str, Any] | None = None
