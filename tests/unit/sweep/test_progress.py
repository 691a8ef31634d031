"""The progress of a running sweep: the data, and one rendering."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.steps import total_steps
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import REPLAY_FOLDER, Record
from clip_hparam.records.state import TrialState
from clip_hparam.sweep.progress import (
    EtaEstimator,
    ProgressDisplay,
    TrialProgress,
    display_names,
    read_progress,
    running_trials,
)
from clip_hparam.sweep.sweep import PlannedTrial, Sweep

EPOCHS = 4


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    """Return a sweep of two cells and two seeds without records."""
    planned = []
    for lr in ("1e-3", "2e-3"):
        for seed in (0, 1):
            values = {"lr": float(lr), "seed": seed, "epochs": EPOCHS, "data.selection": 5.0}
            spec = TrialSpec(resolve(with_values(Recipe(), values)), Machine(runs=str(tmp_path)))
            planned.append(PlannedTrial(Cell(f"lr={lr}", (f"lr={lr}",)), spec))
    return Sweep("lr", "grid", planned)


def write_epochs(spec: TrialSpec, epochs: int) -> None:
    steps = total_steps(spec.recipe) // EPOCHS
    done = [
        {
            "epoch": n,
            "step": (n + 1) * steps,
            "selection_acc1.raw": 90.0,
            "selection_acc1.ema": 95.0 - n,
        }
        for n in range(epochs)
    ]
    Record(spec.machine.runs, spec.trial_id).write_rows(done)


def states(sweep: Sweep, *values: str) -> dict[str, TrialState]:
    return dict(zip(sweep.specs, map(TrialState, values), strict=True))


def test_running_trials_have_epoch_and_accuracy(sweep: Sweep) -> None:
    first, second, *_ = sweep.specs.values()
    write_epochs(first, 3)
    shown = running_trials(
        display_names(sweep), sweep, states(sweep, "running", "running", "queued", "done")
    )
    assert shown == [
        TrialProgress(first.trial_id, "lr=1e-3 seed=0", 3, EPOCHS, 93.0),
        TrialProgress(second.trial_id, "lr=1e-3 seed=1", 0, EPOCHS, None),
    ]


def test_seconds_left_are_the_work_left_at_the_speed_so_far(sweep: Sweep) -> None:
    specs = sweep.specs
    now = [100.0]
    first, second, *_ = specs.values()
    write_epochs(first, 2)  # by an earlier attempt: does not count
    eta = EtaEstimator(specs, lambda: now[0])
    assert eta.left(states(sweep, "running", "running", "queued", "queued")) is None
    now[0] = 110.0
    write_epochs(first, 3)
    write_epochs(second, 1)
    left = eta.left(states(sweep, "running", "running", "queued", "queued"))
    assert left == pytest.approx((1 + 3 + 4 + 4) * 10 / 2)
    left = eta.left(states(sweep, "done", "failed", "queued", "queued"))
    assert left == pytest.approx((4 + 4) * 10 / 2)


def test_the_time_in_the_queue_is_no_time_of_work(sweep: Sweep) -> None:
    now = [0.0]
    eta = EtaEstimator(sweep.specs, lambda: now[0])
    eta.observe(states(sweep, "queued", "queued", "queued", "queued"))
    now[0] = 7200.0
    eta.observe(states(sweep, "running", "queued", "queued", "queued"))
    now[0] = 7210.0
    write_epochs(next(iter(sweep.specs.values())), 1)
    left = eta.left(states(sweep, "running", "queued", "queued", "queued"))
    assert left == pytest.approx((3 + 4 + 4 + 4) * 10)


def test_without_a_terminal_each_change_of_state_is_a_line(sweep: Sweep) -> None:
    out = io.StringIO()
    write_epochs(next(iter(sweep.specs.values())), EPOCHS)
    with ProgressDisplay(sweep, sweep.specs, Console(file=out, width=200)) as display:
        for given in (("running", "queued"), ("running", "queued"), ("done", "running")):
            display.update(states(sweep, *given, "queued", "failed"))
    ids = list(sweep.specs)
    lines = out.getvalue().splitlines()
    assert [line.split("  ")[:3] for line in lines] == [
        ["1/4", ids[0], "running"],
        ["1/4", ids[3], "failed"],
        ["2/4", ids[0], "done"],
        ["2/4", ids[1], "running"],
    ]
    assert "selection acc1 95.0 %  lr=1e-3 seed=0" in lines[2]  # of the selected epoch, the first


def test_a_trial_that_waits_again_is_a_line(sweep: Sweep) -> None:
    out = io.StringIO()
    with ProgressDisplay(sweep, sweep.specs, Console(file=out, width=200)) as display:
        for first in ("queued", "running", "queued", "running"):
            display.update(states(sweep, first, "queued", "queued", "queued"))
    lines = [line.split("  ")[2] for line in out.getvalue().splitlines()]
    assert lines == ["running", "queued", "running"]


def test_on_a_terminal_running_trials_and_the_total_are_drawn(sweep: Sweep) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, no_color=True)
    write_epochs(next(iter(sweep.specs.values())), 2)
    with ProgressDisplay(sweep, sweep.specs, console) as display:
        display.update(states(sweep, "running", "running", "queued", "lost"))
        console.print(display.render(states(sweep, "running", "running", "queued", "lost")))
    text = out.getvalue()
    assert "2 of 4 epochs" in text
    assert "selection acc1 94.0 %" in text
    assert "1/4 trials ended, 2 running, 1 queued" in text
    assert "lost" in text


def test_a_replay_shows_its_own_epochs(sweep: Sweep) -> None:
    spec = next(iter(sweep.specs.values()))
    write_epochs(spec, EPOCHS)
    replayed = replace(spec, replay=True)
    side = Record(Record(spec.machine.runs, spec.trial_id).folder, REPLAY_FOLDER)
    assert read_progress(replayed, "").epoch == EPOCHS
    side.write_rows(Record(spec.machine.runs, spec.trial_id).rows()[:1])
    assert read_progress(replayed, "").epoch == 1
    assert read_progress(spec, "").epoch == EPOCHS
