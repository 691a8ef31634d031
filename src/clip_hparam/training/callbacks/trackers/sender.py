"""Send the record of one trial to one tracker, each epoch once, whoever sends it.

runs/.trackers/<tracker>/                       files of the tracker, where it is local
runs/.trackers/.sent/<tracker>/<trial_id>.json  destination, group, name, last step, state
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.paths import sent_path, tracker_folder
from clip_hparam.records.record import Record
from clip_hparam.records.state import FINISHED
from clip_hparam.training.callbacks.trackers.registry import tracker_class
from clip_hparam.training.callbacks.trackers.tracker import Tracker, numbers, tracked_run

NOT_METRICS = ("epoch", "step")


@dataclass(frozen=True)
class Sent:
    """Data that a destination has received: rows up to an optimizer step, and the final state."""

    destination: str
    group: str
    name: str
    step: int = 0
    state: str = ""


class RunSender:
    """Sends rows of metrics.jsonl and the result of a trial; connects at the first that is new.

    again: send all numbers, also those that were sent before.
    """

    def __init__(self, name: str, record: Record, again: bool = False) -> None:
        self._class = tracker_class(name)
        self._record = record
        runs = record.folder.parent
        self._folder, self._path = (
            tracker_folder(runs, name),
            sent_path(runs, name, record.trial_id),
        )
        self._run = tracked_run(record)
        self._sent = Sent(self._class.destination(self._folder), self._run.group, self._run.name)
        before = None if again else read_json(self._path)
        if before and before.get("destination") == self._sent.destination:
            self._sent = Sent(**before)
        self._tracker: Tracker | None = None

    @property
    def destination(self) -> str:
        return self._sent.destination

    def send_rows(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Send the epochs after the last one that was sent, and return their number."""
        new = [row for row in rows if row["step"] > self._sent.step]
        done = self._sent.step
        try:
            for row in new:
                values = {key: value for key, value in row.items() if key not in NOT_METRICS}
                epoch = {"epoch": float(row["epoch"] + 1)}
                self._connect().log(row["step"], {**epoch, **numbers(values)})
                done = row["step"]
        finally:
            if done > self._sent.step:
                self._remember(step=done, state="")
        return len(new)

    def close(self, state: str, result: Mapping[str, Any] | None) -> bool:
        """Send the state in which an attempt ended; return whether anything was new."""
        if self._tracker is None and self._sent.state == state:
            return False
        self._connect().close(state, summary_of(result))
        self._tracker = None
        self._remember(state=state if state in FINISHED else "")
        return True

    def _connect(self) -> Tracker:
        """Return the run, started with the group and the name that it had the first time."""
        if self._tracker is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            run = replace(self._run, group=self._sent.group, name=self._sent.name)
            self._tracker = self._class(run, self._folder)
        return self._tracker

    def _remember(self, **changes: Any) -> None:
        self._sent = replace(self._sent, **changes)
        write_json(self._path, asdict(self._sent))


def summary_of(result: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the metric columns and the cost of a result as flat numbers; empty for None."""
    if result is None:
        return {}
    cost = {f"cost.{name}": value for name, value in result.get("cost", {}).items()}
    return numbers({**result.get("metrics", {}), **cost})
