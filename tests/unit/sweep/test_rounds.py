"""Racing rounds of a sweep whose trials are written by a fake launcher."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.trial_factory import Runs

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.config.machine import Machine
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.design.racing import Race
from clip_hparam.launch.base import JobHandle
from clip_hparam.records.atomic import read_json
from clip_hparam.sweep.driver import run_sweep
from clip_hparam.sweep.sweep import PlannedTrial, Sweep

RACE = Race(3, 8)
NOISE = (0.3, -0.2, 0.1, -0.4, 0.25, -0.1, 0.15, -0.05)  # by seed, alike in no two
Gain = Callable[[float, int], float]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    (tmp_path / "runs").mkdir()
    return Runs(tmp_path / "runs")


class Written:
    """A launcher whose trials are done when they are submitted; it records the rounds."""

    survives_driver = False

    def __init__(self, runs: Runs, gain: Gain, fails: Sequence[tuple[float, int]] = ()) -> None:
        self.runs, self.gain, self.fails = runs, gain, fails
        self.rounds: list[list[tuple[float, int]]] = []

    def submit(self, jobs: Sequence[TrialSpec]) -> list[JobHandle]:
        asked = [(job.recipe.lr, job.recipe.seed) for job in jobs]
        self.rounds.append(asked)
        for lr, seed in asked:
            if (lr, seed) not in self.fails:
                self.runs.done({"lr": lr}, seed, 90 + self.gain(lr, seed))
        return [JobHandle(job.trial_id, "written", "") for job in jobs]

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, str]:
        failed = {self.runs.recipe({"lr": lr}, seed) for lr, seed in self.fails}
        ids = {TrialSpec(recipe).trial_id for recipe in failed}
        return {one.trial_id: "failed" if one.trial_id in ids else "done" for one in handles}

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        raise AssertionError("nothing runs")


def sweep_of(runs: Runs, kind: str, rates: Sequence[float], race: Race = RACE) -> Sweep:
    machine = Machine(runs=str(runs.folder))
    planned = [
        PlannedTrial(
            Cell(f"lr={lr}", (f"lr={lr}",)), TrialSpec(runs.recipe({"lr": lr}, seed), machine)
        )
        for lr in rates
        for seed in race.seeds
    ]
    return Sweep("rates", kind, planned, race=race)


def race(runs: Runs, launcher: Written, kind: str = "grid", rates: Sequence[float] = ()) -> int:
    return run_sweep(
        sweep_of(runs, kind, rates or (1.0, 2.0, 3.0)), SweepOptions(), lambda: launcher
    )


def plain_and_even(lr: float, seed: int) -> float:
    """Return an accuracy: lr=2 is as good as lr=1, lr=3 is clearly better."""
    return {1.0: 0.0, 2.0: NOISE[seed], 3.0: 5.0 + NOISE[seed] / 10}[lr]


def test_more_seeds_run_only_for_undecided_cells(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    launcher = Written(runs, plain_and_even)
    assert race(runs, launcher) == 0
    first, *others = launcher.rounds
    assert sorted(first) == [(lr, seed) for lr in (1.0, 2.0, 3.0) for seed in range(3)]
    assert others == [[(1.0, seed), (2.0, seed)] for seed in range(3, 8)]
    said = capsys.readouterr().out
    assert "lr=2.0: undecided, +0.01 points to lr=1.0 over 8 seeds" in said
    assert "lr=3.0: more, +5.01 points to lr=1.0 over 3 seeds" in said


def test_ladder_rung_is_raced_against_the_rung_before(runs: Runs) -> None:
    spread = {1.0: 0.0, 2.0: 0.1, 3.0: 9.0}
    launcher = Written(runs, lambda lr, seed: 5 * lr + NOISE[seed] * spread[lr])
    assert race(runs, launcher, "ladder") == 0
    _, *others = launcher.rounds
    assert others
    assert others == [[(2.0, seed), (3.0, seed)] for seed in range(3, 3 + len(others))]


def test_finished_race_runs_nothing_and_interrupted_race_continues(runs: Runs) -> None:
    for lr, seed in [(1.0, 0), (2.0, 0), (1.0, 1), (1.0, 3)]:
        runs.done({"lr": lr}, seed, 90 + plain_and_even(lr, seed))
    launcher = Written(runs, plain_and_even)
    race(runs, launcher)
    asked = [trial for some in launcher.rounds for trial in some]
    assert len(asked) == len(set(asked)) == 3 + 2 * 8 - 4
    again = Written(runs, plain_and_even)
    assert race(runs, again) == 0
    assert again.rounds == []


def test_failed_trial_ends_only_the_race_of_its_cell(runs: Runs) -> None:
    launcher = Written(runs, plain_and_even, fails=[(3.0, 1)])
    assert race(runs, launcher) == 1
    assert {lr for some in launcher.rounds[1:] for lr, _ in some} == {1.0, 2.0}


def test_raced_manifest_grows_under_one_id_and_the_table_counts_it(runs: Runs) -> None:
    race(runs, Written(runs, plain_and_even))
    (path,) = (runs.folder / ".sweeps").glob("*.json")
    manifest = read_json(path)
    assert manifest is not None
    assert [len(cell["trials"]) for cell in manifest["cells"]] == [8, 8, 3]
    frames = analysis.load(runs.folder)
    table = cell_evidence(frames, Ablation("rates", "Rates")).set_index("cell")
    assert list(table["asked"]) == list(table["n"]) == [8, 8, 3]
    assert list(table["delta_excludes_zero"]) == [False, False, True]
    raced, plain = table.loc["lr=3.0"], estimate([5 + noise / 10 for noise in NOISE[:3]])
    assert raced["delta_low"] < plain.low < plain.high < raced["delta_high"]


def test_race_refuses_detach(runs: Runs) -> None:
    launcher = Written(runs, plain_and_even)
    launcher.survives_driver = True
    with pytest.raises(ValueError, match="the driver of a race decides"):
        run_sweep(sweep_of(runs, "grid", (1.0, 2.0)), SweepOptions(detach=True), lambda: launcher)
    assert launcher.rounds == []
