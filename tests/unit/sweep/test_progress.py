"""What is shown of a running sweep: the data, and one look at the drawing."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.steps import total_steps
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.sweep.progress import (
    EtaEstimator,
    ProgressDisplay,
    TrialProgress,
    display_names,
    running_trials,
)
from clip_hparam.sweep.sweep import PlannedTrial, Sweep

EPOCHS = 4


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    """Two cells and two seeds, of which none has a record yet."""
    planned = []
    for lr in ("1e-3", "2e-3"):
        for seed in (0, 1):
            values = {"lr": float(lr), "seed": seed, "epochs": EPOCHS, "data.selection": 5.0}
            job = TrialSpec(resolve(with_values(Recipe(), values)), Machine(runs=str(tmp_path)))
            planned.append(PlannedTrial(Cell(f"lr={lr}", (f"lr={lr}",)), seed, job))
    return Sweep("lr", "grid", planned)


def write_epochs(job: TrialSpec, epochs: int) -> None:
    steps = total_steps(job.recipe) // EPOCHS
    done = [
        {
            "epoch": n,
            "step": (n + 1) * steps,
            "selection_acc1.raw": 90.0,
            "selection_acc1.ema": 95.0,
        }
        for n in range(epochs)
    ]
    Record(job.machine.runs, job.trial_id).write_rows(done)


def states(sweep: Sweep, *given: str) -> dict[str, str]:
    return dict(zip(sweep.jobs, given, strict=True))


def test_a_running_trial_is_a_row_with_its_epoch_and_accuracy(sweep: Sweep) -> None:
    first, second, *_ = sweep.jobs.values()
    write_epochs(first, 3)
    shown = running_trials(
        display_names(sweep), sweep, states(sweep, "running", "running", "queued", "done")
    )
    assert shown == [
        TrialProgress(first.trial_id, "lr=1e-3 seed=0", 3, EPOCHS, 95.0),
        TrialProgress(second.trial_id, "lr=1e-3 seed=1", 0, EPOCHS, None),
    ]


def test_the_time_left_is_the_work_left_at_the_speed_so_far(sweep: Sweep) -> None:
    jobs = sweep.jobs
    now = [100.0]
    one, two, *_ = jobs.values()
    write_epochs(one, 2)  # of an earlier attempt: no work of this one
    clock = EtaEstimator(jobs, lambda: now[0])
    assert clock.left(states(sweep, "running", "running", "queued", "queued")) is None
    now[0] = 110.0
    write_epochs(one, 3)
    write_epochs(two, 1)
    left = clock.left(states(sweep, "running", "running", "queued", "queued"))
    assert left == pytest.approx((1 + 3 + 4 + 4) * 10 / 2)
    left = clock.left(states(sweep, "done", "failed", "queued", "queued"))
    assert left == pytest.approx((4 + 4) * 10 / 2)


def test_elsewhere_than_on_a_terminal_it_is_a_line_a_change(sweep: Sweep) -> None:
    out = io.StringIO()
    write_epochs(next(iter(sweep.jobs.values())), EPOCHS)
    with ProgressDisplay(sweep, sweep.jobs, Console(file=out, width=200)) as live:
        for given in (("running", "queued"), ("running", "queued"), ("done", "running")):
            live.update(states(sweep, *given, "queued", "failed"))
    ids = list(sweep.jobs)
    lines = out.getvalue().splitlines()
    assert [line.split("  ")[:3] for line in lines] == [
        ["1/4", ids[0], "running"],
        ["1/4", ids[3], "failed"],
        ["2/4", ids[0], "done"],
        ["2/4", ids[1], "running"],
    ]
    assert "selection acc1 95.0 %  lr=1e-3 seed=0" in lines[2]


def test_on_a_terminal_the_picture_has_a_line_a_running_trial_and_the_total(sweep: Sweep) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, no_color=True)
    write_epochs(next(iter(sweep.jobs.values())), 2)
    with ProgressDisplay(sweep, sweep.jobs, console) as live:
        live.update(states(sweep, "running", "running", "queued", "lost"))
        console.print(live.render(states(sweep, "running", "running", "queued", "lost")))
    text = out.getvalue()
    assert "epoch 2/4" in text
    assert "selection acc1 95.0 %" in text
    assert "1/4 trials ended" in text
    assert "lost" in text
