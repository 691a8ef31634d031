"""A campaign: four stages in one command, each planned from the results and costs of those before.

runs/.studies/<name>/    conf/sweeps/<stage>.yaml   design of each stage, once it is decided
                         decisions.json             decisions with their reasons
                         study.md                   results of the stages, and the decisions
                         winner.yaml                recipe of the best cell of the proof
                         overrides.json             the overrides with which the study was begun

A stage is an ordinary sweep. A decision is never changed: the same command runs the decided designs
again, which skips trials that are done, and continues with the next stage.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clip_hparam.analysis.evidence.studies.study import StudyEvidence, study_evidence
from clip_hparam.analysis.frames.frame import load
from clip_hparam.analysis.report.study_page import STUDY_FILE, WINNER_FILE, study_markdown
from clip_hparam.config.text.duration import format_duration
from clip_hparam.config.text.override_words import quote
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.design.design import Design, merged_overrides
from clip_hparam.launch.python_command import run_python
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.metrics import mean_reported_value
from clip_hparam.records.paths import DEFAULT_RUNS, campaign_folder
from clip_hparam.sweep.campaigns import stages
from clip_hparam.sweep.campaigns.decisions import Decisions
from clip_hparam.sweep.campaigns.screening import SelectionSet, choose_knobs, plan_screening
from clip_hparam.sweep.campaigns.stage_results import CellResults, StageResults
from clip_hparam.sweep.campaigns.stages import BUDGET_SHARES, InsufficientBudgetError, Stage

SEARCHPATH_KEY = "hydra.searchpath="
SWEEP_CODE = "import sys; from clip_hparam.cli.hydra_app.app import main; sys.exit(main())"
CLI_CODE = "import sys; from clip_hparam.cli.main import main; sys.exit(main())"


@dataclass(frozen=True)
class Campaign:
    """A campaign over the knobs of a design.

    overrides: typed by the user, passed on to every stage.
    budget: seconds of all workers together.
    """

    design: Design
    overrides: tuple[str, ...]
    runs: Path
    budget: float
    workers: int

    @property
    def folder(self) -> Path:
        return campaign_folder(self.runs, self.design.name)

    @cached_property
    def results(self) -> StageResults:
        return StageResults(self.design.name, self.runs)

    @cached_property
    def decisions(self) -> Decisions:
        return Decisions(self.folder)

    @property
    def seconds_left(self) -> float:
        """Seconds of all workers that the budget still pays for; negative when exceeded."""
        return self.budget - self.results.spent()

    def run(self) -> int:
        """Run all stages and write the report; return the first exit code that is not 0.

        Raises ValueError if a study of this name was begun with other overrides.
        """
        self.decisions.validate_overrides(self.overrides)
        for name, plan in self._plans():
            stage = self.decisions.stage(name)
            stage = stage or self.decisions.decide(name, plan, self.seconds_left)
            if stage and (code := self._run_stage(stage)):
                return code
            self._write_results()
        return self._write_report()

    def show(self) -> None:
        """Print the decisions so far and the open stages, for `dry_run=true`."""
        print_wrapped(f"plan of {self.design.name} (study): {', '.join(self.design.knobs)}")
        print_wrapped(f"left of the budget: {self._time_left()}")
        decided = self.decisions.all()
        for name in stages.STAGES:
            reason = decided.get(name, {}).get("why", "planned when the stages before it are done")
            print_wrapped(f"  {name}: {reason}")
        print_wrapped("nothing was started")

    def _time_left(self) -> str:
        left = max(0.0, self.seconds_left)
        total, each = format_duration(left), format_duration(left / self.workers)
        at_once = f", {each} on each of {self.workers} workers" if self.workers > 1 else ""
        return f"{total} of training{at_once}"

    def _plans(self) -> Iterator[tuple[str, Callable[[], Stage]]]:
        """Yield the planner of each stage; a planner reads the records of the stages before."""
        yield "reference", lambda: stages.plan_reference(self.design)
        yield "screening", self._plan_screening
        yield "search", self._plan_search
        yield "proof", self._plan_proof

    def _plan_screening(self) -> Stage:
        return plan_screening(self.design, self._n_trials("screening"), self._selection_set())

    def _plan_search(self) -> Stage:
        searched = choose_knobs(list(self.design.knobs), self._evidence().screening)
        trial_seconds = self.results.mean_trial_seconds()
        seconds = self._stage_seconds("search")
        knobs = list(searched.reasons)
        stage = stages.plan_search(self.design, knobs, seconds, trial_seconds, self.workers)
        return Stage(stage.name, stage.design, stage.words, f"{stage.why}: {searched.text}")

    def _plan_proof(self) -> Stage:
        points = sorted(self.results.cell_results("search"), key=_selection_accuracy, reverse=True)
        if not points:
            raise InsufficientBudgetError("no search was run, so there is no winner to prove")
        base = merged_overrides(self.design.base)
        winners = {
            f"winner {rank}": [override for override in cell.overrides if override not in base]
            for rank, (cell, _) in enumerate(points[: stages.MAX_WINNERS], 1)
        }
        return stages.plan_proof(self.design, winners, self._n_trials("proof"))

    def _evidence(self) -> StudyEvidence:
        """Read the results of all stages that are on record."""
        return study_evidence(load(self.runs), self.design.name)

    def _selection_set(self) -> SelectionSet | None:
        """Return the selection set that the reference used; None if its size is not recorded."""
        cells = self.results.cell_results("reference")
        results = [r for cell, found in cells for r in found if cell.label == "reference"]
        images = [result["images"]["selection"] for result in results if "images" in result]
        if not images:
            return None
        return SelectionSet(mean_reported_value(results, "selection_acc1"), min(images))

    def _stage_seconds(self, stage: str) -> float:
        """Return the stage's share of the seconds left."""
        names = list(BUDGET_SHARES)
        later = names[names.index(stage) :]
        share = BUDGET_SHARES[stage] / sum(BUDGET_SHARES[name] for name in later)
        return max(0.0, self.seconds_left) * share

    def _n_trials(self, stage: str) -> int:
        return int(self._stage_seconds(stage) / self.results.mean_trial_seconds())

    def _run_stage(self, stage: Stage) -> int:
        search_path = [quote(f"file://{self.decisions.conf.resolve()}")]
        for override in self.overrides:
            if override.startswith(SEARCHPATH_KEY):
                search_path.append(override.removeprefix(SEARCHPATH_KEY).strip("[]"))
        users = [word for word in self.overrides if not word.startswith(SEARCHPATH_KEY)]
        head = [f"{SEARCHPATH_KEY}[{','.join(search_path)}]", f"sweeps={stage.design['name']}"]
        return run_python(SWEEP_CODE, ["-m", *head, *stage.words, *users])

    def _write_results(self) -> None:
        """Write study.md from the records so far."""
        text = study_markdown(self._evidence())
        write_atomic(self.folder / STUDY_FILE, text.encode())

    def _write_report(self) -> int:
        """Export the winner as a recipe file, write the report, and print the result.

        The report of records that are elsewhere than in `runs` is in the folder of the study.
        """
        runs = ["--runs", str(self.runs)]
        winner = self.folder / WINNER_FILE
        if self.results.cell_results("proof") and not winner.exists():
            proof = f"{self.design.name}_proof"
            run_python(CLI_CODE, ["export-recipe", proof, "--out", str(winner), *runs])
        self._write_results()
        out = [] if self.runs == DEFAULT_RUNS else ["--out", str(self.folder)]
        code = run_python(CLI_CODE, ["report", *runs, *out])
        print_wrapped(f"{self.design.name}: {self._evidence().answer}")
        print_wrapped(f"results of all stages: {self.folder / STUDY_FILE}")
        return code


def _selection_accuracy(results: CellResults) -> float:
    """Return the mean accuracy of a cell on the selection set, in percent."""
    return mean_reported_value(results[1], "selection_acc1")
