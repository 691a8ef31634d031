"""A user's mistake ends with one sentence with the words to type, never with a traceback."""

from pathlib import Path

import pytest
from support.cli import assert_refused, clip_hparam, plan

MISTAKES = {
    "learning_rate=1e-3": "unknown knob learning_rate: did you mean lr?",
    "-m machine.thread=2": "did you mean machine.threads",
    "seed=a": "seed=a is not a whole number of [0, 4294967295]",
    "recipe=b16": "unknown recipe=b16: did you mean ft_clip/b16?",
    "recipe/ft_clip=b16": "type recipe=ft_clip/b16",
    "-m sweeps=./mine.yaml": "put it into FOLDER/sweeps/",
    "-m lr@x=1,2": "lr is a knob and has no package; type lr=1,2",
    "-m machine.device=cuda": "this computer has no GPU: try machine.device=cpu, or auto",
    "machine.device=cuda": "this computer has no GPU: try machine.device=cpu, or auto",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_one_sentence(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr("clip_hparam.planning.gpus.installed_gpus", lambda: ("", 0))
    assert_refused(plan(*words.split(), cwd=tmp_path), MISTAKES[words], tmp_path)


FILES = {
    "sweeps/mine.yaml": (
        "name: mine\nkind: grid\n",
        "needs `# @package hydra.sweeper.design` as its first line",
    ),
    "recipe/mine.yaml": ("lr: 1e-3\n", "needs `# @package _global_` as its first line"),
}
CONTENTS = {
    "wrong key": ("# @package _global_\nlearning_rate: 1\n", "did you mean lr?"),
    "wrong value": (
        "# @package _global_\nlr: abc\n",
        "recipe/mine: lr=abc is not a number of (0, inf)",
    ),
    "broken": ("# @package _global_\nlr: [1\n", "recipe/mine, line 3, column 1: "),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_its_first_line(name: str, tmp_path: Path) -> None:
    group = name.partition("/")[0]
    (tmp_path / group).mkdir()
    (tmp_path / name).write_text(FILES[name][0])
    done = plan("--config-dir", str(tmp_path), "-m", f"{group}=mine", cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert FILES[name][1] in done.err


@pytest.mark.parametrize("content", CONTENTS)
def test_a_recipe_file_with_a_mistake(content: str, tmp_path: Path) -> None:
    text, sentence = CONTENTS[content]
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe" / "mine.yaml").write_text(text)
    done = plan("--config-dir", str(tmp_path), "-m", "recipe=mine", cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert sentence in done.err


def test_all_mistakes_of_the_command_line_are_reported(tmp_path: Path) -> None:
    done = plan("-m", "lr=0,1e-3", "epochs=2.5", "wd=1", cwd=tmp_path)
    assert done.code == 2
    assert done.err.splitlines() == [
        "lr=0 is outside (0, inf): try lr=1e-3",
        "epochs=2.5 is not a whole number of [1, inf): try epochs=20",
        "unknown knob wd: did you mean weight_decay?",
    ]


def test_all_mistakes_of_a_design_are_reported(tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "mine.yaml").write_text(
        "# @package hydra.sweeper.design\nname: mine\nkind: list\nbase: [wd=1]\nsteps:\n"
        "  - {label: a, overrides: [lr=0, epochs=2.5]}\n  - {label: b, overrides: [pool=xyz]}\n"
    )
    done = plan("--config-dir", str(tmp_path), "-m", "sweeps=mine", cwd=tmp_path)
    assert done.code == 2
    for sentence in ("did you mean weight_decay?", "lr=0 is outside", "epochs=2.5", "pool=xyz"):
        assert sentence in done.err
    assert len(done.err.splitlines()) == 4


def test_options_of_the_driver_in_the_base_of_a_design_hold(tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    text = "# @package hydra.sweeper.design\nname: mine\nkind: grid\nknobs: {lr: [1e-3]}\nbase: "
    (tmp_path / "sweeps" / "mine.yaml").write_text(f"{text}[dry_run=true, epochs=1]\n")
    done = plan("--config-dir", str(tmp_path), "-m", "sweeps=mine", cwd=tmp_path)
    assert "nothing was started" in done.out
    (tmp_path / "sweeps" / "mine.yaml").write_text(f"{text}[machine=slurm_gpu]\n")
    done = plan("--config-dir", str(tmp_path), "-m", "sweeps=mine", cwd=tmp_path)
    assert "chooses a machine in its base: type machine=... on the command line" in done.err


def test_options_of_hydra_without_effect_are_named(tmp_path: Path) -> None:
    done = plan("dry_run=true", "hydra.job.name=x", "-m", cwd=tmp_path)
    assert done.code == 0
    assert "hydra.job.name=x has no effect" in done.err


def test_a_traceback_is_shown_on_request_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean lr"):
        plan("learning_rate=1", cwd=tmp_path, HYDRA_FULL_ERROR="1")


def test_describe_prints_one_epoch_and_all_mistakes(tmp_path: Path) -> None:
    assert "1 epoch of" in clip_hparam("describe", "epochs=1", cwd=tmp_path).out
    done = clip_hparam("describe", "lr=0", "epochs=2.5", cwd=tmp_path)
    assert done.code == 2
    assert "lr=0 is outside" in done.err
    assert "epochs=2.5 is not a whole number" in done.err
    done = clip_hparam("describe", "lr=1", "layer_decay=0.65", cwd=tmp_path)
    assert "try layer_decay=0.65" not in done.out
