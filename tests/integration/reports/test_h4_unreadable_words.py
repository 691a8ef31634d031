"""A path that Hydra's grammar cannot read is taken literally; other words get advice."""

import shlex
from pathlib import Path

import pytest
from support.cli import plan
from support.image_folders import grow
from support.planned import planned_trials

FOLDERS = ("\u00e9t\u00e9", "epoch=9 (1)", "a[1]{#x}")
SMALL = ("data=folder", "batch_size=2", "data.shots=2", "data.selection=2")


def test_a_path_of_any_letters_is_read(tmp_path: Path) -> None:
    for folder in FOLDERS:
        grow(tmp_path / folder, {"x": 6, "y": 6})
        for mode in ((), ("-m",)):
            (spec,) = planned_trials(*mode, *SMALL, f"data.root={folder}", cwd=tmp_path)
            assert spec.recipe.data.root == folder


@pytest.mark.parametrize(
    ("words", "advised"),
    [
        (("lr=1e\u22123",), "lr=1e-3"),
        (("-m", "lr=1e-3,", "3e-3"), "lr=1e-3,3e-3"),
        (("lr=1e-3;1e-4",), "-m lr=1e-3,1e-4"),
        (("--lr", "1e-3"), "lr=1e-3"),
        (("hydra.launcher.setup=module load x",), "'hydra.launcher.setup=[\"module load x\"]'"),
    ],
)
def test_the_advice_works_when_it_is_typed(
    words: tuple[str, ...], advised: str, tmp_path: Path
) -> None:
    slurm = ("hydra/launcher=submitit_slurm",) if "launcher" in words[0] else ()
    done = plan(*words, *slurm, cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.rstrip().endswith(f"type {advised}")
    again = plan("-m", *shlex.split(advised), *slurm, "dry_run=true", cwd=tmp_path)
    assert again.code == 0, again.err


def test_a_text_with_a_comma_gets_both_words_to_type(tmp_path: Path) -> None:
    for folder in ("a,b", "a", "b"):
        grow(tmp_path / folder, {"x": 6, "y": 6})
    done = plan(*SMALL, "data.root=a,b", cwd=tmp_path)
    assert done.code == 2
    assert "add -m to sweep over them, or type 'data.root=\"a,b\"' for one text" in done.err
    (spec,) = planned_trials(*SMALL, 'data.root="a,b"', cwd=tmp_path)
    assert spec.recipe.data.root == "a,b"
    specs = planned_trials("-m", *SMALL, "data.root=a,b", cwd=tmp_path)
    assert [spec.recipe.data.root for spec in specs] == ["a", "b"]
