"""A sweep while it runs: on a terminal a line a running trial and the total with the time left;
elsewhere a line a change. What is shown is data first (`rows`, `Clock`); `Live` draws it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from clip_hparam.config.duration import format_duration
from clip_hparam.config.steps import total_steps
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.metrics import selection_accuracy
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState
from clip_hparam.sweep.sweep import Sweep

REFRESH_SECONDS = 1.0  # between two looks at the records of running trials


@dataclass(frozen=True)
class TrialProgress:
    """A running trial: epochs done of all, and the newest accuracy on its selection set."""

    trial_id: str
    name: str
    epoch: int
    epochs: int
    accuracy: float | None


def running_trials(
    names: Mapping[str, str], sweep: Sweep, states: Mapping[str, str]
) -> list[TrialProgress]:
    """The running trials, in the order of the plan; `names` are those of `names_of`."""
    running = [trial_id for trial_id in sweep.jobs if states.get(trial_id) == TrialState.RUNNING]
    return [read_progress(sweep.jobs[trial_id], names[trial_id]) for trial_id in running]


def display_names(sweep: Sweep) -> dict[str, str]:
    """Cell and seed of each trial, for people; of the first cell that has it."""
    plans = reversed(sweep.planned)
    return {plan.job.trial_id: f"{plan.cell.label} seed={plan.seed}" for plan in plans}


class EtaEstimator:
    """Seconds left: the work that remains, at the speed of what was done since the start.

    Work is pixels seen in training, so that long trials and large images count for more.
    """

    def __init__(
        self, jobs: Mapping[str, TrialSpec], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.work = {trial_id: _relative_cost(job) for trial_id, job in jobs.items()}
        self.jobs, self.now = jobs, now
        self.first = {name: work * share_done(jobs[name]) for name, work in self.work.items()}
        self.started = now()

    def left(self, states: Mapping[str, str]) -> float | None:
        """None while nothing was done yet. What failed is no work any more."""
        known = {name: states.get(name, TrialState.QUEUED) for name in self.work}
        going = [name for name, state in known.items() if state in (*LIVE, TrialState.DONE)]
        done = {name: self._done(name, known[name]) for name in going}
        gained = sum(done[name] - self.first[name] for name in going)
        remaining = sum(self.work[name] - done[name] for name in going)
        return remaining * (self.now() - self.started) / gained if gained > 0 else None

    def _done(self, name: str, state: str) -> float:
        if state == TrialState.DONE:
            return self.work[name]
        if state == TrialState.QUEUED:
            return self.first[name]
        return self.work[name] * share_done(self.jobs[name])


class ProgressDisplay:
    """Draws a sweep; `jobs` are those that were launched, `before` how many were done already."""

    def __init__(
        self, sweep: Sweep, jobs: Mapping[str, TrialSpec], console: Console | None = None
    ) -> None:
        self.sweep, self.before = sweep, len(sweep.jobs) - len(jobs)
        self.clock, self.names = EtaEstimator(jobs), display_names(sweep)
        self.known: dict[str, str] = {}
        self.looked = 0.0
        self.console = console or Console()
        self.screen = Screen(console=self.console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.screen.stop()

    def update(self, states: Mapping[str, str]) -> None:
        """Take the states of all trials that were launched."""
        changed = {name: state for name, state in states.items() if state != self.known.get(name)}
        self.known |= changed
        drawn = (TrialState.RUNNING, TrialState.DONE) if self.console.is_terminal else ()
        silent = (TrialState.QUEUED, *drawn)
        for trial_id, state in changed.items():
            if state not in silent:
                said = self._change(trial_id, state)
                self.console.print(said, markup=False, highlight=False, soft_wrap=True)
        if self.console.is_terminal and time.monotonic() - self.looked > REFRESH_SECONDS:
            self.screen.update(self.render(states), refresh=True)
            self.looked = time.monotonic()

    def render(self, states: Mapping[str, str]) -> Group:
        """A line a running trial, then the total."""
        table = Table.grid(padding=(0, 2))
        for row in running_trials(self.names, self.sweep, states):
            epoch = f"epoch {row.epoch}/{row.epochs}"
            table.add_row(row.trial_id, epoch, _format_accuracy(row.accuracy), row.name)
        return Group(table, Text(f"{self._count()} trials ended{self._left(states)}"))

    def _count(self) -> str:
        ended = sum(state not in LIVE for state in self.known.values())
        return f"{self.before + ended}/{len(self.sweep.jobs)}"

    def _left(self, states: Mapping[str, str]) -> str:
        seconds = self.clock.left(states)
        return f", about {format_duration(seconds)} left" if seconds else ""

    def _change(self, trial_id: str, state: str) -> str:
        row = read_progress(self.sweep.jobs[trial_id], self.names[trial_id])
        if state != TrialState.DONE:
            return f"{self._count()}  {trial_id}  {state}  {row.name}"
        said = _format_accuracy(row.accuracy, "  ")
        return f"{self._count()}  {trial_id}  {state}{said}  {row.name}{self._left(self.known)}"


def share_done(job: TrialSpec) -> float:
    """How much of its steps a trial has done, by its record."""
    record = Record(job.machine.runs, job.trial_id)
    trained = max((row["step"] for row in record.rows()), default=0)
    seen: int = max(trained, record.status().get("step", 0))
    return min(1.0, seen / total_steps(job.recipe))


def read_progress(job: TrialSpec, name: str) -> TrialProgress:
    done = Record(job.machine.runs, job.trial_id).rows()
    accuracy = selection_accuracy(done[-1]) if done else None
    return TrialProgress(job.trial_id, name, len(done), job.recipe.epochs, accuracy)


def _format_accuracy(accuracy: float | None, before: str = "") -> str:
    """Of which set it is: the table at the end is of another one."""
    return "" if accuracy is None else f"{before}selection acc1 {accuracy:.1f} %"


def _relative_cost(job: TrialSpec) -> float:
    pixels = int(job.recipe.resolution) ** 2
    return float(total_steps(job.recipe) * job.recipe.batch_size * pixels)
