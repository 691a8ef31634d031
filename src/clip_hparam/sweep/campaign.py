"""A study in one command: its stages one after another, each planned from what those before cost.

runs/.studies/<name>/    conf/sweeps/<stage>.yaml   each stage as a design, once it is decided
                         decisions.json             what was decided, and why
                         study.md                   the same for people

A stage is an ordinary sweep. What is decided stays decided: the same command runs the designs that
are there, finds their trials done or runs what is left of them, and goes on.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clip_hparam.config.duration import format_duration
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.design.design import Design, merged_overrides
from clip_hparam.records.paths import campaign_folder
from clip_hparam.sweep import stages
from clip_hparam.sweep.decisions import Decisions
from clip_hparam.sweep.stage_results import StageResults, mean_selection_accuracy
from clip_hparam.sweep.stages import BUDGET_SHARES, InsufficientBudgetError, Stage

SEARCHPATH_KEY = "hydra.searchpath="
SWEEP_CODE = "import sys; from clip_hparam.cli.hydra_app.app import main; sys.exit(main())"
CLI_CODE = "import sys; from clip_hparam.cli.main import main; sys.exit(main())"


@dataclass(frozen=True)
class Campaign:
    """`words` go to every stage as they were typed; `budget` is in seconds of all workers."""

    design: Design
    words: tuple[str, ...]
    runs: Path
    budget: float
    workers: int

    @property
    def folder(self) -> Path:
        return campaign_folder(self.runs, self.design.name)

    @cached_property
    def ledger(self) -> StageResults:
        return StageResults(self.design.name, self.runs)

    @cached_property
    def decisions(self) -> Decisions:
        return Decisions(self.folder)

    @property
    def left(self) -> float:
        """Seconds of all workers."""
        return self.budget - self.ledger.spent()

    def run(self) -> int:
        """All stages and the report; the exit code is that of the first stage that is not 0."""
        for name, plan in self._plans():
            stage = self.decisions.stage(name) or self.decisions.decide(name, plan, self.left)
            if stage and (code := self._sweep(stage)):
                return code
        return self._report()

    def show(self) -> None:
        """For dry_run=true: what was decided so far, and what is still open."""
        left, knobs = format_duration(max(0.0, self.left)), ", ".join(self.design.knobs)
        print(f"study {self.design.name} of {knobs}; {left} of trials are left")
        decided = self.decisions.all()
        for name in stages.STAGES:
            said = decided.get(name, {}).get("why", "planned when those before are done")
            print(f"  {name}: {said}")
        print("nothing was started")

    def _plans(self) -> Iterator[tuple[str, Callable[[], Stage]]]:
        """Made lazily: a plan sees the records of the stages before."""
        yield "reference", lambda: stages.plan_reference(self.design)
        yield "screening", lambda: stages.plan_screening(self.design, self._trials("screening"))
        yield "search", self._search
        yield "proof", self._proof

    def _search(self) -> Stage:
        knobs, why = self._kept()
        seconds = self._seconds("search")
        stage = stages.plan_search(
            self.design, knobs, seconds, self.ledger.mean_trial_seconds(), self.workers
        )
        return Stage(stage.name, stage.design, stage.words, f"{stage.why}; {why}")

    def _proof(self) -> Stage:
        found = sorted(
            self.ledger.cell_results("search"), key=lambda one: -mean_selection_accuracy(one)
        )
        if not found:
            raise InsufficientBudgetError("no search, no winner to prove")
        base = merged_overrides(self.design.base)
        winners = {
            f"winner {place}": [word for word in cell.overrides if word not in base]
            for place, (cell, _) in enumerate(found[: stages.PROVEN], 1)
        }
        return stages.plan_proof(self.design, winners, self._trials("proof"))

    def _kept(self) -> tuple[list[str], str]:
        """The knobs to search, and why those."""
        screened = self.ledger.cell_results("screening")
        knobs = list(self.design.knobs)
        if not screened:
            return knobs, "nothing was screened"
        cells = [
            (frozenset(one[0].label.split("+")), mean_selection_accuracy(one)) for one in screened
        ]
        effects = stages.main_effects(knobs, cells)
        kept, margin = stages.significant_knobs(effects)
        told = ", ".join(f"{knob} {effects[knob]:+.2f}" for knob in sorted(
            effects, key=lambda knob: -abs(effects[knob])))  # fmt: skip
        return kept, f"effects on selection accuracy, points: {told}; margin {margin:.2f} (Lenth)"

    def _seconds(self, stage: str) -> float:
        """For a stage: its share of what is left."""
        later = list(BUDGET_SHARES)[list(BUDGET_SHARES).index(stage) :]
        return max(0.0, self.left) * BUDGET_SHARES[stage] / sum(BUDGET_SHARES[one] for one in later)

    def _trials(self, stage: str) -> int:
        return int(self._seconds(stage) / self.ledger.mean_trial_seconds())

    def _sweep(self, stage: Stage) -> int:
        places = [f"'file://{self.decisions.conf.resolve()}'"]
        for word in self.words:
            if word.startswith(SEARCHPATH_KEY):
                places.append(word.removeprefix(SEARCHPATH_KEY).strip("[]"))
        words = [word for word in self.words if not word.startswith(SEARCHPATH_KEY)]
        own = [
            f"{SEARCHPATH_KEY}[{','.join(places)}]",
            f"sweeps={stage.design['name']}",
            *stage.words,
        ]
        return _run_python(SWEEP_CODE, ["-m", *own, *words])

    def _report(self) -> int:
        """The winner as a recipe file, and the page of everything."""
        runs = ["--runs", str(self.runs)]
        winner = self.folder / "winner.yaml"
        if self.ledger.cell_results("proof") and not winner.exists():
            _run_python(
                CLI_CODE,
                ["export-recipe", f"{self.design.name}_proof", "--out", str(winner), *runs],
            )
        return _run_python(CLI_CODE, ["report", *runs])


def _run_python(code: str, words: Sequence[str]) -> int:
    """A command of ours to its end; it hears Ctrl-C too, and a stop of this one stops it."""
    process = subprocess.Popen([sys.executable, "-c", code, *words])
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return ExitCode.INTERRUPTED
