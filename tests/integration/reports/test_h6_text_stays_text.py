"""Text that looks like a number stays text, in trials, sweeps and designs alike."""

from pathlib import Path

import pytest
from support.cli import plan
from support.image_folders import grow
from support.planned import planned_trials, write_design

NAMES = ("2024", "true", "1e3", "007")
SMALL = ("data=folder", "batch_size=2", "data.shots=2", "data.selection=2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        grow(tmp_path / name, {"x": 6, "y": 6})
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("data.root=2024",),
        ("++data.root=1e3",),
        ("-m", "data.root=1e3"),
        ("-m", "data.root=true"),
        ("-m", "data.root='2024'"),
    ],
)
def test_the_name_of_a_folder_stays_text(words: tuple[str, ...], folder: Path) -> None:
    (spec,) = planned_trials(*SMALL, *words, cwd=folder)
    assert spec.recipe.data.root == words[-1].partition("=")[2].strip("'")


def test_levels_of_a_sweep_stay_text(folder: Path) -> None:
    specs = planned_trials("-m", *SMALL, f"data.root={','.join(NAMES)}", cwd=folder)
    assert [spec.recipe.data.root for spec in specs] == list(NAMES)


def test_texts_of_a_design_stay_text(folder: Path) -> None:
    base = "base: [data=folder, batch_size=2, data.shots=2, data.selection=2"
    for design in (
        f"kind: grid\n{base}]\nknobs: {{data.root: [2024, '007']}}\n",
        f"kind: grid\n{base}]\nknobs: {{data.root: '2024,007'}}\n",
        f"kind: list\n{base}]\nsteps:\n"
        "  - {label: a, overrides: [data.root=2024]}\n"
        "  - {label: b, overrides: [data.root=007]}\n",
    ):
        write_design(folder, design)
        specs = planned_trials("-m", "sweeps=mine", cwd=folder)
        assert [spec.recipe.data.root for spec in specs] == ["2024", "007"]
    write_design(folder, f"kind: grid\n{base}, data.root=true]\nknobs: {{lr: [1e-3]}}\n")
    (spec,) = planned_trials("-m", "sweeps=mine", cwd=folder)
    assert spec.recipe.data.root == "true"


def test_a_runs_folder_is_named_as_it_is_typed(tmp_path: Path) -> None:
    for mode in ((), ("-m",)):
        (spec,) = planned_trials(*mode, "machine.runs=1e3", cwd=tmp_path)
        assert spec.machine.runs == "1e3"


def test_null_is_no_text(tmp_path: Path) -> None:
    for mode in ((), ("-m",)):
        done = plan(*mode, "data=folder", "data.root=null", cwd=tmp_path)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "leave data.root out, or type 'data.root=\"null\"'" in done.err
