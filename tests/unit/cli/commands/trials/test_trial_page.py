"""The page of a trial leaves out acc5 of few classes, and notes unknown overrides."""

from pathlib import Path
from typing import Any

import pytest

from clip_hparam.cli.commands.trials.trial_page import trial_lines

METRICS = {
    f"{split}_{measure}.raw.selected": value
    for split in ("selection", "test")
    for measure, value in (("acc1", 90.0), ("acc5", 100.0), ("loss", 0.3))
}
FACTS: dict[str, Any] = {
    "trial_id": "0123456789ab",
    "name": "lr=1",
    "state": "done",
    "sweeps": [],
    "typed": [],
    "curves": {},
    "epochs": {"done": 1, "selected": 0},
    "selected_weights": "raw",
    "metrics": METRICS,
    "classes": None,
    "cost": {},
    "numerics": {},
    "failure": None,
    "command": "python sweep.py",
    "command_in_slurm": None,
    "unknown": [],
    "folder": "runs/0",
}


@pytest.mark.parametrize(("classes", "shown"), [(3, False), (5, False), (6, True), (None, True)])
def test_acc5_is_shown_with_more_than_five_classes(classes: int | None, shown: bool) -> None:
    page = "\n".join(trial_lines({**FACTS, "classes": classes}, Path("runs")))
    assert "test      acc1 90 %" in page
    assert ("acc5" in page) == shown


@pytest.mark.parametrize(
    ("command", "note"),
    [
        ("python sweep.py machine.runs=old", "typed     nothing: all knobs have the values"),
        ("python sweep.py lr=0.002", "typed     not on record: the command below sets"),
    ],
)
def test_a_trial_without_typed_words_is_the_default_or_of_an_old_record(
    command: str, note: str
) -> None:
    page = "\n".join(trial_lines({**FACTS, "command": command}, Path("runs")))
    assert note in page


def test_the_command_for_slurm_is_shown_before_the_one_for_this_computer() -> None:
    facts = {**FACTS, "command_in_slurm": "python sweep.py -m lr=1,2"}
    *_, in_slurm, here, _ = trial_lines(facts, Path("runs"))
    assert (in_slurm, here) == ("in Slurm  python sweep.py -m lr=1,2", "here      python sweep.py")
