"""The images that weights are scored on where no data set is typed."""

from pathlib import Path

import pytest
from support.trial_factory import Runs

from clip_hparam.cli.commands.stored.evaluated_data import evaluated_data
from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.atomic import write_json
from clip_hparam.records.record import Record


def exported(folder: Path, trial_id: str, data: str = "folder") -> Path:
    """Write what an exported folder says about its trial."""
    folder.mkdir()
    facts = {"format": 1, "trial_id": trial_id, "recipe": {"data.name": data}}
    write_json(folder / "clip_hparam.json", facts)
    return folder


@pytest.fixture
def trial(tmp_path: Path) -> Record:
    """Return the record of a trial that has 7 images of each class of the digits."""
    runs = Runs(tmp_path / "runs")
    return runs.plan(resolve(Recipe(data=Data(shots=7))))


def test_images_are_those_of_the_trial_in_each_way_to_name_its_weights(
    trial: Record, tmp_path: Path
) -> None:
    file = trial.folder / "last.safetensors"
    file.touch()
    export = exported(tmp_path / "model", trial.trial_id)
    for name in (trial.trial_id[:8], str(trial.folder), str(file), str(export)):
        for named in ([name], ["open_clip:tiny:tiny", name]):
            data = evaluated_data([], named, trial.folder.parent)
            assert (data.name, data.shots) == ("digits", 7), named


def test_typed_data_has_precedence(trial: Record) -> None:
    data = evaluated_data(["data=characters"], [trial.trial_id], trial.folder.parent)
    assert data.name == "characters"


@pytest.mark.parametrize(
    ("data", "typed"),
    [("folder", "data=folder data.root=PATH too"), ("digits", "data=digits too")],
)
def test_export_of_an_unknown_trial_is_answered_with_its_own_data_set(
    data: str, typed: str, tmp_path: Path
) -> None:
    export = exported(tmp_path / "model", "0123456789ab", data)
    with pytest.raises(ValueError, match="is an export of trial 0123456789ab") as refused:
        evaluated_data([], [str(export)], tmp_path / "runs")
    assert typed in str(refused.value)


def test_weights_without_a_trial_need_data(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"open_clip:a:b is not a trial in .* type data=NAME too"):
        evaluated_data([], ["open_clip:a:b"], tmp_path)


def test_sweep_and_cell_are_answered_with_their_trials(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    runs.sweep("lr", {"slow": {}}, seeds=[0])
    trial_id = runs.planned({}).trial_id
    with pytest.raises(ValueError, match="lr is a sweep: name one of its trials, which clip-hpara"):
        evaluated_data(["data=digits"], ["lr"], tmp_path)
    with pytest.raises(ValueError, match=f"lr/slow is a cell: name one of its trials: {trial_id}"):
        evaluated_data([], ["lr/slow"], tmp_path)
