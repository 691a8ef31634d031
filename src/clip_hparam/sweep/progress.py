"""Progress of a running sweep.

On a terminal `ProgressDisplay` draws a line per running trial and a total with the time left;
elsewhere it prints a line per change of a state. `running_trials` and `EtaEstimator` compute the
data that it draws.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.steps import total_steps
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.duration import format_duration
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.metrics import epoch_accuracy
from clip_hparam.records.record import REPLAY_FOLDER, Record
from clip_hparam.records.state import LIVE, TrialState
from clip_hparam.sweep.console import print_plain
from clip_hparam.sweep.sweep import Sweep

REFRESH_SECONDS = 1.0  # between two reads of the records of running trials


@dataclass(frozen=True)
class TrialProgress:
    """A running trial: epochs done and planned, and its newest selection accuracy in percent."""

    trial_id: str
    name: str
    epoch: int
    epochs: int
    accuracy: float | None


def running_trials(
    names: Mapping[str, str], sweep: Sweep, states: Mapping[str, TrialState]
) -> list[TrialProgress]:
    """Return the running trials in the order of the plan; `names` come from `display_names`."""
    running = [trial_id for trial_id in sweep.specs if states.get(trial_id) == TrialState.RUNNING]
    return [read_progress(sweep.specs[trial_id], names[trial_id]) for trial_id in running]


def display_names(sweep: Sweep) -> dict[str, str]:
    """Return "CELL seed=N" by trial id, with the first cell that has the trial."""
    plans = reversed(sweep.planned)
    return {plan.trial_id: f"{plan.cell.label} seed={plan.seed}" for plan in plans}


class EtaEstimator:
    """Estimates the seconds left from the work done since the first trial started.

    The unit of work is a training pixel, so that long trials and large images count for more. The
    time that all trials wait in a scheduler's queue says nothing about their speed.
    """

    def __init__(
        self, specs: Mapping[str, TrialSpec], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.work = {trial_id: _training_pixels(spec) for trial_id, spec in specs.items()}
        self.specs, self.now = specs, now
        self.first = {name: work * share_done(specs[name]) for name, work in self.work.items()}
        self.started: float | None = None

    def observe(self, states: Mapping[str, TrialState]) -> None:
        """Start the clock once a trial is no longer queued."""
        if self.started is None and set(states.values()) - {TrialState.QUEUED}:
            self.started = self.now()

    def left(self, states: Mapping[str, TrialState]) -> float | None:
        """Return the seconds left, None before any work is done; failed trials do not count."""
        self.observe(states)
        known = {name: states.get(name, TrialState.QUEUED) for name in self.work}
        going = [name for name, state in known.items() if state in (*LIVE, TrialState.DONE)]
        done = {name: self._done(name, known[name]) for name in going}
        gained = sum(done[name] - self.first[name] for name in going)
        remaining = sum(self.work[name] - done[name] for name in going)
        if self.started is None or gained <= 0:
            return None
        return remaining * (self.now() - self.started) / gained

    def _done(self, name: str, state: TrialState) -> float:
        if state == TrialState.DONE:
            return self.work[name]
        if state == TrialState.QUEUED:
            return self.first[name]
        return self.work[name] * share_done(self.specs[name])


class ProgressDisplay:
    """Draws the progress of a sweep; `specs` are the trials that were launched."""

    def __init__(
        self, sweep: Sweep, specs: Mapping[str, TrialSpec], console: Console | None = None
    ) -> None:
        self.sweep, self.before = sweep, len(sweep.specs) - len(specs)
        self.eta, self.names = EtaEstimator(specs), display_names(sweep)
        self.known: dict[str, TrialState] = {}
        self.refreshed = 0.0
        self.console = console or Console()
        self.screen = Screen(console=self.console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.screen.stop()

    def update(self, states: Mapping[str, TrialState]) -> None:
        """Show the states of all trials that were launched."""
        self.eta.observe(states)
        changed = {name: state for name, state in states.items() if state != self.known.get(name)}
        ran = [name for name in changed if self.known.get(name) == TrialState.RUNNING]
        self.known |= changed
        drawn = (TrialState.RUNNING, TrialState.DONE) if self.console.is_terminal else ()
        silent = (TrialState.QUEUED, *drawn)
        for trial_id, state in changed.items():
            if state not in silent or (state == TrialState.QUEUED and trial_id in ran):
                line = self._change_line(trial_id, state)
                print_plain(self.console, line)
        if self.console.is_terminal and time.monotonic() - self.refreshed > REFRESH_SECONDS:
            self.screen.update(self.render(states), refresh=True)
            self.refreshed = time.monotonic()

    def render(self, states: Mapping[str, TrialState]) -> Group:
        """Return a line per running trial, then the total."""
        table = Table.grid(padding=(0, 2))
        for row in running_trials(self.names, self.sweep, states):
            done = f"{row.epoch} of {counted(row.epochs, 'epoch')}"
            table.add_row(row.trial_id, done, _format_accuracy(row.accuracy), Text(row.name))
        live = "".join(f", {count} {state}" for state, count in _count_live(states))
        return Group(table, Text(f"{self._count()} trials ended{live}{self._format_left(states)}"))

    def _count(self) -> str:
        ended = sum(state not in LIVE for state in self.known.values())
        return f"{self.before + ended}/{len(self.sweep.specs)}"

    def _format_left(self, states: Mapping[str, TrialState]) -> str:
        seconds = self.eta.left(states)
        return f", about {format_duration(seconds)} left" if seconds else ""

    def _change_line(self, trial_id: str, state: TrialState) -> str:
        line, name = f"{self._count()}  {trial_id}  {state}", self.names[trial_id]
        if state != TrialState.DONE:
            return f"{line}  {name}"
        accuracy = _format_accuracy(_selected_accuracy(self.sweep.specs[trial_id]), "  ")
        return f"{line}{accuracy}  {name}{self._format_left(self.known)}"


def share_done(spec: TrialSpec) -> float:
    """Return the share of its steps, 0 to 1, that a trial has done by its record."""
    record = _record_in_use(spec)
    last_row = max((row["step"] for row in record.rows()), default=0)
    steps: int = max(last_row, record.status().get("step", 0))
    return min(1.0, steps / total_steps(spec.recipe))


def read_progress(spec: TrialSpec, name: str) -> TrialProgress:
    """Return the progress of a trial by its record."""
    rows = _record_in_use(spec).rows()
    accuracy = epoch_accuracy(rows[-1]) if rows else None
    return TrialProgress(spec.trial_id, name, len(rows), spec.recipe.epochs, accuracy)


def _selected_accuracy(spec: TrialSpec) -> float | None:
    """Return the accuracy of the selected epoch, the best on the selection set."""
    accuracies = map(epoch_accuracy, _record_in_use(spec).rows())
    return max((one for one in accuracies if one is not None), default=None)


def _record_in_use(spec: TrialSpec) -> Record:
    """Return the record that a trial writes: that of its replay while one runs."""
    record = Record(spec.machine.runs, spec.trial_id)
    replay = Record(record.folder, REPLAY_FOLDER)
    return replay if spec.replay and replay.folder.is_dir() else record


def _count_live(states: Mapping[str, TrialState]) -> list[tuple[TrialState, int]]:
    """Return how many trials run and how many wait, without zeros."""
    counts = Counter(states.values())
    live = (TrialState.RUNNING, TrialState.QUEUED)
    return [(state, counts[state]) for state in live if counts[state]]


def _format_accuracy(accuracy: float | None, before: str = "") -> str:
    """Label the accuracy with its split: the table at the end shows test accuracy."""
    return "" if accuracy is None else f"{before}selection acc1 {accuracy:.1f} %"


def _training_pixels(spec: TrialSpec) -> float:
    recipe = as_resolved(spec.recipe)
    return float(total_steps(recipe) * recipe.batch_size * recipe.resolution**2)
