"""Specifications that launchers pass on: trials and search workers, with their keys on disk."""

import json

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import LaunchSpec, WorkerSpec, parse_launch_spec

TRIAL = TrialSpec(
    Recipe(), Machine(runs="here"), eval_test="epoch", tracker=("wandb",), overrides=("lr=1",)
)
WORKER = WorkerSpec(TRIAL, ".sweeps/0123456789ab/worker_3")


@pytest.mark.parametrize("spec", [TRIAL, WORKER])
def test_specification_is_read_back_from_json(spec: LaunchSpec) -> None:
    assert parse_launch_spec(json.loads(json.dumps(spec.to_dict()))) == spec


def test_keys_on_disk_are_those_of_earlier_versions() -> None:
    keys = {
        *("recipe", "machine", "eval_test", "eval_raw", "keep_checkpoints", "gpus_per_trial"),
        *("replay", "worker", "overrides", "eval_sets", "tracker"),
    }
    assert TRIAL.to_dict().keys() == WORKER.to_dict().keys() == keys
    assert (TRIAL.to_dict()["worker"], WORKER.to_dict()["worker"]) == ("", WORKER.record_id)


def test_specification_of_an_earlier_version_lacks_newer_keys() -> None:
    tree = TRIAL.to_dict()
    for key in ("worker", "replay", "eval_raw", "eval_sets", "tracker", "overrides"):
        del tree[key]
    assert parse_launch_spec(tree) == TrialSpec(Recipe(), Machine(runs="here"), eval_test="epoch")


def test_worker_is_known_by_its_record_and_moves_with_the_runs_folder() -> None:
    assert WORKER.trial_id == WORKER.record_id
    moved = WORKER.with_runs("elsewhere")
    assert (moved.machine.runs, moved.record_id) == ("elsewhere", WORKER.record_id)
    assert moved.recipe == WORKER.recipe
