"""TensorBoard: a folder of event files per trial.

`tensorboard --logdir runs/.trackers/tensorboard` shows them.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from clip_hparam.training.callbacks.trackers.tracker import TrackedRun, Tracker


class TensorBoardTracker(Tracker):
    """Writes scalars by optimizer step, and the knobs for the HPARAMS tab."""

    package: ClassVar[str] = "tensorboard"
    extra: ClassVar[str] = "clip-hparam[tensorboard]"

    def __init__(self, run: TrackedRun, folder: Path) -> None:
        # lazy: tensorboard, 0.3 s, an extra
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._event, self._summary = Event, Summary
        path = folder / _file_name(run.group) / f"{_file_name(run.name)}-{run.trial_id}"
        is_new = not any(path.glob("events.*"))
        self._writer = EventFileWriter(str(path))
        if is_new:
            knobs = {name: value for name, value in run.config.items() if value is not None}
            self._write(hparams_pb(knobs, trial_id=run.trial_id), 0)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        values = [
            self._summary.Value(tag=_tag(name), simple_value=value)
            for name, value in metrics.items()
        ]
        self._write(self._summary(value=values), step)
        self._last_step = step
        self._writer.flush()

    def close(self, state: str, summary: Mapping[str, float]) -> None:
        if summary:
            self.log(getattr(self, "_last_step", 0), {f"final/{k}": v for k, v in summary.items()})
        self._writer.close()

    def _write(self, summary: object, step: int) -> None:
        event = self._event(wall_time=time.time(), step=step, summary=summary)
        self._writer.add_event(event)


def _tag(name: str) -> str:
    """Return a tag in the section of its metric: selection_acc1.raw as selection_acc1/raw."""
    return name.replace(".", "/", 1)


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.=+,-]+", "_", text)[:80]
