"""A sweep whose submission is refused leaves no manifest; one that was there before stays."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.design.design import Cell
from clip_hparam.launch.base import Capacity, JobHandle
from clip_hparam.launch.supervise import SubmissionRefusedError
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.state import TrialState
from clip_hparam.sweep.driver import run_sweep, save_manifest
from clip_hparam.sweep.sweep import PlannedTrial, Sweep


class RefusingLauncher:
    """Refuses all trials, as sbatch does with a partition that is not there."""

    def __init__(self, survives_driver: bool) -> None:
        self.survives_driver = survives_driver

    def capacity(self, specs: Sequence[LaunchSpec]) -> Capacity:
        return Capacity(1, "nowhere")

    def submit(self, specs: Sequence[LaunchSpec]) -> list[JobHandle]:
        raise ValueError("no such partition")

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, TrialState]:
        return {}

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        return


def sweep_in(runs: Path) -> Sweep:
    spec = TrialSpec(resolve(Recipe()), Machine(runs=str(runs)))
    return Sweep("lr", "grid", [PlannedTrial(Cell("lr", ("lr=1",)), spec)])


def names(runs: Path) -> Mapping[str, int]:
    return {manifest.name: len(manifest.trial_ids) for manifest in read_manifests(runs)}


def test_refused_sweep_is_not_on_record(tmp_path: Path) -> None:
    with pytest.raises(SubmissionRefusedError, match=r"^no such partition$"):
        run_sweep(sweep_in(tmp_path), SweepOptions(), lambda: RefusingLauncher(True))
    assert names(tmp_path) == {}


def test_sweep_from_before_stays(tmp_path: Path) -> None:
    save_manifest(sweep_in(tmp_path))
    with pytest.raises(SubmissionRefusedError):
        run_sweep(sweep_in(tmp_path), SweepOptions(), lambda: RefusingLauncher(True))
    assert names(tmp_path) == {"lr": 1}


def test_trials_of_a_launcher_that_ends_with_the_driver_may_have_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such partition") as error:
        run_sweep(sweep_in(tmp_path), SweepOptions(), lambda: RefusingLauncher(False))
    assert not isinstance(error.value, SubmissionRefusedError)
    assert names(tmp_path) == {"lr": 1}
