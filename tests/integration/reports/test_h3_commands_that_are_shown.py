"""Commands that the program prints can be pasted into a shell and run as announced."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from support.cli import clip_hparam, sweep
from support.image_folders import grow
from support.planned import planned_trials

from clip_hparam.config.text.override_words import format_override

PATHS = ("/d/a,b", "my photos", "it's", 'a"b', "$HOME", "`id`", "a\\", "\u00e9", "a;b", "!x")
TWO_STEPS = ("data=folder", "epochs=1", "batch_size=2", "data.shots=2", "data.selection=2")


def pasted(line: str) -> list[str]:
    """Return the words that bash makes of a line."""
    command = ["bash", "-c", f"printf '%s\\0' {line}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def test_a_shell_reads_the_words_that_are_printed() -> None:
    words = [format_override("data.root", path) for path in (*PATHS, "")]
    assert pasted(shlex.join(words)) == words


def test_the_command_in_a_plan_holds_the_options_of_the_machine(tmp_path: Path) -> None:
    words = ("-m", "lr=1e-3,2e-3", "machine.runs=other", "machine.threads=2", "seeds=2")
    done = sweep(*words, "dry_run=true", cwd=tmp_path, COLUMNS="160")
    assert done.code == 0, done.err
    assert done.out.count("machine.runs=other machine.threads=2 lr=") == 2
    assert "seed=" not in done.out


@pytest.mark.parametrize("folder", ["a,b", "it's [x] (1) = \u00e9"])
def test_the_command_in_a_plan_runs_the_trial_of_its_cell(folder: str, tmp_path: Path) -> None:
    grow(tmp_path / folder, {"x": 8, "y": 8})
    typed = (*TWO_STEPS, format_override("data.root", folder))
    (planned,) = planned_trials("-m", *typed, "lr=1e-3", cwd=tmp_path)
    done = sweep("-m", *typed, "lr=1e-3", "dry_run=true", cwd=tmp_path, COLUMNS="300")
    row = next(line for line in done.out.splitlines() if line.startswith("one "))
    words = pasted(row[row.index(TWO_STEPS[0]) :])
    (again,) = planned_trials(*words, cwd=tmp_path)
    machine = replace(again.machine, compile=planned.machine.compile)  # decided for a whole sweep
    assert replace(again, machine=machine) == planned


def test_the_recipe_file_of_a_cell_reads_its_texts(tmp_path: Path) -> None:
    words = ("epochs=1", "data.epoch_images=100", "encoder.name='tiny'", "min_lr=${lr}")
    assert sweep("-m", *words, "lr=1e-3,2e-3", cwd=tmp_path).code == 0
    done = clip_hparam("export-recipe", "lr", "--out", "conf/recipe/again.yaml", cwd=tmp_path)
    assert done.code == 0, done.err
    (again,) = planned_trials("recipe=again", cwd=tmp_path)
    assert (tmp_path / "runs" / again.trial_id / "result.json").is_file()
