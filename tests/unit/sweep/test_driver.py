"""What a detached sweep prints about its trials, and its exit code."""

from pathlib import Path

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.sweep.driver import report_submitted
from clip_hparam.sweep.sweep import PlannedTrial, Sweep


@pytest.mark.parametrize(
    ("states", "code", "lines"),
    [
        ("done done", 0, ["2 of 2 trials are done already: clip-hparam status "]),
        ("queued running", 0, ["2 of 2 trials are submitted and continue without it; "]),
        ("done queued", 0, ["1 of 2 trials is submitted and", "1 of 2 trials is done already\n"]),
        ("held held", 0, ["2 of 2 trials are held, the first: scancel 7_0\n"]),
    ],
)
def test_a_detached_sweep_reports_submitted_done_and_held_trials(
    states: str, code: int, lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(runs=str(tmp_path / "runs"))
    recipes = [resolve(with_values(Recipe(), {"seed": seed})) for seed in (0, 1)]
    planned = [PlannedTrial(Cell("lr", ("lr=1",)), TrialSpec(one, machine)) for one in recipes]
    sweep = Sweep("lr", "grid", planned)
    known = dict(zip(sweep.specs, map(TrialState, states.split()), strict=True))
    for name, state in known.items():
        if state == TrialState.HELD:
            Record(sweep.runs, name).write_failure(state, "held", "scancel 7_0")
    assert report_submitted(sweep, known) == code
    printed = capsys.readouterr()
    shown = (printed.out + printed.err).splitlines(keepends=True)
    assert len(shown) == len(lines)
    assert all(line.startswith(start) for line, start in zip(shown, lines, strict=True))
