"""Each refusal says what to type next: a legal value, a path in one word, the command that fits."""

import shutil
from pathlib import Path

import pytest
from support.cli import clip_hparam, plan
from support.image_folders import grow
from support.trial_factory import Runs

CASES = {
    "batch_size=0": "batch_size=0 is outside whole numbers of [1, inf): try batch_size=50",
    "seed=-1": "seed=-1 is outside whole numbers of [0, 4294967295]: try seed=0",
    "data.shots=2.5": "data.shots=2.5 is not a whole number of [0, inf): try data.shots=20",
    "drop_path=1": "drop_path=1 is outside [0, 1): try drop_path=0",
    "resolution=abc": "resolution=abc is not a whole number of auto | [1, inf): try resolution",
    "machine.threads=x": "machine.threads=x is not a whole number of [1, inf): try machine.threads",
    "encoder.name=": "encoder.name= is not legal: try encoder.name=tiny",
    "~data": "~data deletes a group of every trial: type data=NAME, or leave it out",
    "~recipe": "~recipe deletes a group of every trial: type recipe=NAME, or leave it out",
    "encoder.pretrained=/no/w.pt": "encoder.pretrained=/no/w.pt is not a file: type the path of a",
    "encoder.pretrained=/usr/lib": "encoder.pretrained=/usr/lib is a folder: type the path of a",
}


@pytest.mark.parametrize("word", CASES)
def test_message_about_a_mistake_has_the_words_to_type(word: str, tmp_path: Path) -> None:
    for words in ((word,), ("-m", "lr=1e-3,1e-2", word)):
        done = plan(*words, cwd=tmp_path)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(CASES[word])
        assert done.err.count("\n") == 1


@pytest.mark.parametrize("name", ["com,ma", "a,b,c", "d_1,2"])
def test_path_with_a_comma_is_one_word(name: str, tmp_path: Path) -> None:
    grow(tmp_path / name, {"a": 8, "b": 8}, ".png")
    words = ("data=folder", "batch_size=4", "-m", "dry_run=true")
    done = plan(*words, f"data.root={name}", cwd=tmp_path)
    assert done.code == 2
    assert f"{name} is a path that exists: type 'data.root=\"{name}\"'" in done.err
    assert plan(*words, f'data.root="{name}"', cwd=tmp_path).code == 0
    shutil.move(tmp_path / name, tmp_path / "x")
    shutil.copytree(tmp_path / "x", tmp_path / "y")
    assert plan(*words, "data.root=x,y", cwd=tmp_path).code == 0


def test_folder_of_config_files_that_is_missing(tmp_path: Path) -> None:
    done = plan("--config-dir=no", "-m", "sweeps=lr", cwd=tmp_path)
    assert done.code == 2
    assert done.err.endswith("no is not a folder: type --config-dir FOLDER, which holds sweeps/ or"
                             " recipe/\n")  # fmt: skip


@pytest.fixture
def two_sweeps(tmp_path: Path) -> Path:
    """Return a folder with two sweeps called lr, of other data, with equal labels."""
    runs = Runs(tmp_path / "runs")
    for epochs in (1, 2):
        cells = {f"lr={lr}": {"lr": lr, "epochs": epochs} for lr in (0.1, 0.2)}
        for values in cells.values():
            runs.done(values, 0, 90.0)
        runs.sweep("lr", cells, [0])
    return tmp_path


def test_cell_of_two_sweeps_of_one_name_is_reported(two_sweeps: Path) -> None:
    done = clip_hparam("why", "lr=0.1", cwd=two_sweeps)
    assert done.code == 0, done.err
    assert "2 sweeps are called lr: the newest is used" in done.err
    assert clip_hparam("why", "lr/lr=0.1", cwd=two_sweeps).code == 0


def test_summary_of_a_sweep_names_the_command(two_sweeps: Path) -> None:
    done = clip_hparam("summary", "lr", cwd=two_sweeps)
    assert done.code == 2
    assert done.err == (
        "clip-hparam: lr is a sweep, and summary takes a folder of records: type clip-hparam"
        " tables lr\n"
    )
