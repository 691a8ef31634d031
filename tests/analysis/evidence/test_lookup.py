"""One grammar for names: SWEEP, SWEEP_ID, [SWEEP/]LABEL, start of a trial id."""

from collections.abc import Callable
from typing import Any

import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.lookup import cell_trials, find_cell
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.records.manifests.lookup import find_cells, find_trial_id

CELLS = {"slow": {"lr": 1e-4}, "recipe=ft_clip/b16": {"lr": 1e-3}}


@pytest.fixture
def frames(runs: Runs) -> Frames:
    """Two sweeps with a cell "slow" each, and an older sweep "lr" of one seed."""
    for values in (*CELLS.values(), {"lr": 1e-2}):
        for seed in range(2):
            runs.done(values, seed, 90.0 + 1000 * values["lr"] + seed)
    runs.sweep("lr", CELLS, seeds=[0])
    runs.sweep("lr", CELLS, seeds=[0, 1])
    runs.sweep("other", {"slow": {"lr": 1e-2}, "same": {"lr": 1e-4}}, seeds=[0, 1])
    return runs.frames()


def test_a_label_refers_to_the_newest_sweep_of_each_name(frames: Frames) -> None:
    (match,) = find_cells(frames.sweeps, "lr/slow")
    assert (match[0].sweep_id, list(match[1].trials)) == ("lr-1", [0, 1])
    assert [sweep.sweep_id for sweep, _ in find_cells(frames.sweeps, "lr-0/slow")] == ["lr-0"]
    assert find_cells(frames.sweeps, "lr") == []


@pytest.mark.parametrize("name", ["recipe=ft_clip/b16", "lr/recipe=ft_clip/b16"])
def test_a_label_may_hold_a_slash(frames: Frames, name: str) -> None:
    (match,) = find_cells(frames.sweeps, name)
    assert match[1].label == "recipe=ft_clip/b16"


@pytest.mark.parametrize("find", [cell_trials, find_cell, find_cells])
def test_a_label_of_several_sweeps_is_refused(frames: Frames, find: Callable[..., Any]) -> None:
    records = frames.sweeps if find is find_cells else frames
    with pytest.raises(ValueError, match="several sweeps have a cell slow: type SWEEP/slow"):
        find(records, "slow")


@pytest.mark.parametrize("find", [cell_trials, find_cell])
def test_a_cell_of_an_older_sweep_is_answered_with_its_id(
    runs: Runs, find: Callable[..., Any]
) -> None:
    runs.sweep("wd", {"low": {"weight_decay": 0.01}}, seeds=[0])
    runs.sweep("wd", {"high": {"weight_decay": 0.1}}, seeds=[0])
    with pytest.raises(ValueError, match="wd/low is a cell of an older sweep only: type wd-0/low"):
        find(runs.frames(), "wd/low")


@pytest.mark.parametrize("find", [cell_trials, find_cell])
def test_an_empty_name_refers_to_no_trial(frames: Frames, find: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="no cell or trial is called"):
        find(frames, "")


def test_the_id_of_a_trial_refers_to_its_cell(frames: Frames) -> None:
    (match,) = find_cells(frames.sweeps, "other/same")
    for trial_id in match[1].trials.values():
        assert cell_trials(frames, trial_id)["trial_id"].to_dict() == match[1].trials
        assert find_cell(frames, trial_id[:8]).cell.trials == match[1].trials


def test_a_sweep_or_its_id_refers_to_its_best_cell(frames: Frames) -> None:
    newest, oldest = find_cell(frames, "lr"), find_cell(frames, "lr-0")
    assert newest.cell.label == oldest.cell.label == "recipe=ft_clip/b16"
    assert (len(newest.trials), len(oldest.trials)) == (2, 1)


def test_an_unknown_name_names_close_ones(frames: Frames) -> None:
    with pytest.raises(ValueError, match="no cell or trial is called slwo: did you mean slow"):
        cell_trials(frames, "slwo")
    with pytest.raises(ValueError, match="no cell or trial is called othr: did you mean other"):
        find_cell(frames, "othr")


def test_a_trial_id_is_found_by_its_unique_start() -> None:
    assert find_trial_id(["abc", "abd", "b"], "abc") == "abc"
    assert find_trial_id(["abc", "abd", "b"], "b") == "b"
    assert find_trial_id(["abc", "abd", "b"], "x") is None
    with pytest.raises(ValueError, match="2 trials start with ab: abc, abd"):
        find_trial_id(["abc", "abd", "b"], "ab")
