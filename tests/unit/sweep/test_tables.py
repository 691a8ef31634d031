"""The last lines of a plan: what is left to run, and what each Slurm job asks for."""

from pathlib import Path

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.options.launcher_options import LauncherOptions, describe_request
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.launch.base import Capacity
from clip_hparam.planning.resolve import resolve
from clip_hparam.sweep.sweep import PlannedTrial, Sweep
from clip_hparam.sweep.tables import show_plan

OPTIONS = LauncherOptions(partition="gpu", mem_gb=60.0, nodes=None, tasks_per_node=None)
CAPACITY = Capacity(1, "in 1 Slurm job", describe_request(OPTIONS))


@pytest.mark.parametrize(
    ("is_done", "last"),
    [
        (True, "1 trial: 1 done, 0 to do; nothing was started"),
        (
            False,
            "1 trial: 0 done, 1 to do; predicted time in 1 Slurm job: unknown; nothing was started",
        ),
    ],
)
def test_a_plan_ends_with_the_request_and_the_time_of_what_is_left(
    is_done: bool, last: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = TrialSpec(resolve(Recipe()), Machine(runs=str(tmp_path)))
    sweep = Sweep("lr", "grid", [PlannedTrial(Cell("one", ()), spec)])
    done = {spec.trial_id} if is_done else set()
    show_plan(sweep, done, {} if is_done else {spec.trial_id: None}, CAPACITY)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["each Slurm job: partition=gpu mem_gb=60 timeout_min=60", last]
