"""Folders of Ray Tune: ids, configurations, the last result, states."""

from pathlib import Path

import pytest
from support.ray_folders import RayTrial, write_ray_folder

from clip_hparam.analysis.frames.importing.readers.ray_folder import is_ray_folder, read_ray_folder

TRIALS = [
    RayTrial("5381e182", {"lr": 0.1, "opt": {"name": "None"}}, [{"acc": 0.5}, {"acc": 0.625}]),
    RayTrial("53811182", {"lr": 0.2, "opt": {"name": "sgd"}}, [{"acc": 0.75}]),
    RayTrial("00123456", {"lr": 0.2, "opt": {"name": "sgd"}}, [{"acc": 0.99}], "ERROR"),
    RayTrial("a_00003", {"lr": 0.3, "opt": {"name": "sgd"}}, [], "PENDING"),
    RayTrial("a_00004", {"lr": 0.3, "opt": {"name": "sgd"}}, [{"acc": 0.98}], "RUNNING"),
]


@pytest.mark.parametrize("as_csv", [False, True])
@pytest.mark.parametrize("with_state", [False, True])
def test_results_and_states_are_those_of_the_files(
    tmp_path: Path, as_csv: bool, with_state: bool
) -> None:
    write_ray_folder(tmp_path / "exp", TRIALS, as_csv, with_state)
    source = read_ray_folder(tmp_path / "exp")
    rows = source.rows.set_index("trial_id")
    assert len(rows) == len(TRIALS)
    for trial in TRIALS:
        (name,) = (name for name in rows.index if trial.trial_id in name)
        assert name == trial.trial_id or not (trial.results or with_state)
        row = rows.loc[name]
        assert row["trial_status"] == trial.status
        assert row["lr"] == str(trial.config["lr"])
        assert row["opt.name"] == trial.config["opt"]["name"]
        assert row["acc"] == (str(trial.results[-1]["acc"]) if trial.results else None)
    assert (source.roles.knobs, source.roles.metrics) == (("lr", "opt.name"), ("acc",))
    (note,) = source.notes
    assert note.startswith("1 of 2 complete trials ended before iteration 2")


def test_a_line_that_was_cut_when_the_trial_was_killed_is_left_out(tmp_path: Path) -> None:
    write_ray_folder(tmp_path, TRIALS[:1])
    (file,) = tmp_path.glob("*/result.json")
    file.write_text(file.read_text() + '{"acc": 0.9')
    assert list(read_ray_folder(tmp_path).rows["acc"]) == ["0.625"]


def test_one_trial_and_a_folder_of_experiments_are_folders_of_ray(tmp_path: Path) -> None:
    write_ray_folder(tmp_path / "results" / "exp", TRIALS[:2])
    one = next((tmp_path / "results" / "exp").glob("train_*"))
    assert [is_ray_folder(path) for path in (tmp_path / "results", one, tmp_path)] == [
        *(True, True, False)
    ]
