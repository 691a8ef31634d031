"""A tracker that writes what it receives to calls.jsonl, and can fail or hang on request."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from clip_hparam.training.callbacks.trackers.tracker import TrackedRun, Tracker


class FakeTracker(Tracker):
    """Keeps its calls in FOLDER/calls.jsonl; tests read them with `calls_of`.

    fails: name of the call that raises. seconds: how long each call of `log` takes.
    """

    fails: ClassVar[str] = ""
    seconds: ClassVar[float] = 0.0

    def __init__(self, run: TrackedRun, folder: Path) -> None:
        self.file, self.trial_id = folder / "calls.jsonl", run.trial_id
        self._note("open", group=run.group, name=run.name, config=dict(run.config), tags=run.tags)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        time.sleep(self.seconds)
        self._note("log", step=step, metrics=dict(metrics))

    def close(self, state: str, summary: Mapping[str, float]) -> None:
        self._note("close", state=state, summary=dict(summary))

    def _note(self, call: str, **facts: Any) -> None:
        if call == self.fails:
            raise ConnectionError("no route to http://me:hunter2@tracker.example/\nand no login")
        with self.file.open("a") as file:
            file.write(json.dumps({"call": call, "trial": self.trial_id, **facts}) + "\n")


def calls_of(runs: Path, call: str = "") -> list[dict[str, Any]]:
    """Return the calls that the fake tracker received, or those of one kind."""
    file = runs / ".trackers" / "fake" / "calls.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [one for one in map(json.loads, lines) if one["call"] == (call or one["call"])]
