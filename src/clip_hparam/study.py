"""A study in one command: its stages one after another, each planned from what those before cost.

runs/.studies/<name>/    conf/sweeps/<stage>.yaml   each stage as a design, once it is decided
                         decisions.json             what was decided, and why
                         study.md                   the same for people

A stage is an ordinary sweep. What is decided stays decided: the same command runs the designs that
are there, finds their trials done or runs what is left of them, and goes on.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from clip_hparam import stages
from clip_hparam.cost import readable
from clip_hparam.design import Design, merged
from clip_hparam.records import Record, now, read_json, write_atomic, write_json
from clip_hparam.stages import SHARES, Stage, TooLittleError

INTERRUPTED = 130
SEARCHPATH = "hydra.searchpath="
SWEEP = "import sys; from clip_hparam.app import main; sys.exit(main())"
ASK = "import sys; from clip_hparam.cli import main; sys.exit(main())"

Measured = tuple[dict[str, Any], list[dict[str, Any]]]
"""A cell of a manifest, and the sealed results of its trials."""


@dataclass(frozen=True)
class Study:
    """`words` go to every stage as they were typed; `budget` is in seconds of all workers."""

    design: Design
    words: tuple[str, ...]
    runs: Path
    budget: float
    workers: int

    @property
    def folder(self) -> Path:
        return self.runs / ".studies" / self.design.name

    def run(self) -> int:
        """All stages and the report; the exit code is that of the first stage that is not 0."""
        for name, plan in self._plans():
            stage = self._decided(name) or self._decide(name, plan)
            if stage and (code := self._sweep(stage)):
                return code
        return self._report()

    def show(self) -> None:
        """For dry_run=true: what was decided so far, and what is still open."""
        left = readable(max(0.0, self.budget - self._spent()))
        print(
            f"study {self.design.name} of {', '.join(self.design.knobs)}; {left} of trials are left"
        )
        decisions = read_json(self.folder / "decisions.json") or {}
        for name in stages.STAGES:
            said = decisions.get(name, {}).get("why", "planned when those before are done")
            print(f"  {name}: {said}")
        print("nothing was started")

    def _plans(self) -> Iterator[tuple[str, Callable[[], Stage]]]:
        """Made lazily: a plan sees the records of the stages before."""
        yield "reference", lambda: stages.reference(self.design)
        yield "screening", lambda: stages.screening(self.design, self._trials("screening"))
        yield "search", self._search
        yield "proof", self._proof

    def _search(self) -> Stage:
        knobs, why = self._kept()
        seconds = self._seconds("search")
        stage = stages.search(self.design, knobs, seconds, self._a_trial(), self.workers)
        return Stage(stage.name, stage.design, stage.words, f"{stage.why}; {why}")

    def _proof(self) -> Stage:
        found = sorted(self._measured("search"), key=lambda one: -_selection(one))
        if not found:
            raise TooLittleError("no search, no winner to prove")
        base = merged(self.design.base)
        winners = {
            f"winner {place}": [word for word in cell["overrides"] if word not in base]
            for place, (cell, _) in enumerate(found[: stages.PROVEN], 1)
        }
        return stages.proof(self.design, winners, self._trials("proof"))

    def _kept(self) -> tuple[list[str], str]:
        """The knobs to search, and why those."""
        screened = self._measured("screening")
        knobs = list(self.design.knobs)
        if not screened:
            return knobs, "nothing was screened"
        cells = [(frozenset(one[0]["label"].split("+")), _selection(one)) for one in screened]
        effects = stages.effects(knobs, cells)
        kept, margin = stages.mattered(effects)
        told = ", ".join(f"{knob} {effects[knob]:+.2f}" for knob in sorted(
            effects, key=lambda knob: -abs(effects[knob])))  # fmt: skip
        return kept, f"effects on selection accuracy, points: {told}; margin {margin:.2f} (Lenth)"

    def _measured(self, stage: str) -> list[Measured]:
        """Cells of a stage all of whose trials are done."""
        found = []
        for cell in self._cells(stage):
            results = [Record(self.runs, one).result() for one in cell["trials"].values()]
            if results and all(results):
                found.append((cell, [result for result in results if result]))
        return found

    def _cells(self, stage: str) -> list[dict[str, Any]]:
        """Of the stage's newest manifest."""
        name = f"{self.design.name}_{stage}"
        trees = [read_json(path) or {} for path in (self.runs / ".sweeps").glob("*.json")]
        own = sorted((t for t in trees if t.get("name") == name), key=lambda t: str(t["created"]))
        cells: list[dict[str, Any]] = own[-1]["cells"] if own else []
        return cells

    def _a_trial(self) -> float:
        """Mean seconds of the trials so far that ran all of their epochs.

        Raises ValueError if not even one of the reference is done.
        """
        costs = [
            result["cost"]["seconds"]
            for stage in ("reference", "screening")
            for _, results in self._measured(stage)
            for result in results
        ]
        if not costs:
            raise ValueError("no trial of the reference is done: clip-hparam status shows why")
        return fmean(costs)

    def _seconds(self, stage: str) -> float:
        """For a stage: its share of what is left."""
        later = list(SHARES)[list(SHARES).index(stage) :]
        return (
            max(0.0, self.budget - self._spent())
            * SHARES[stage]
            / sum(SHARES[one] for one in later)
        )

    def _trials(self, stage: str) -> int:
        return int(self._seconds(stage) / self._a_trial())

    def _spent(self) -> float:
        """Seconds of all trials of the study, also of pruned ones."""
        ids = {
            trial
            for stage in stages.STAGES
            for cell in self._cells(stage)
            for trial in cell["trials"].values()
        }
        return sum(_cost(Record(self.runs, trial)) for trial in ids)

    def _decided(self, name: str) -> Stage | None:
        tree = (read_json(self.folder / "decisions.json") or {}).get(name)
        if tree is None or tree["design"] is None:
            return None
        return Stage(name, tree["design"], tuple(tree["words"]), tree["why"])

    def _decide(self, name: str, plan: Callable[[], Stage]) -> Stage | None:
        """Plan a stage and put it on disk; None, and the reason on disk, if it does not fit."""
        decisions = read_json(self.folder / "decisions.json") or {}
        left = self.budget - self._spent()
        try:
            stage: Stage | None = plan()
            why = stage.why if stage else ""
        except TooLittleError as error:
            stage, why = None, f"left out: {error}"
        print(f"{self.design.name}, {name}: {why} ({readable(max(0.0, left))} of trials are left)")
        tree = asdict(stage) if stage else {"name": name, "design": None, "words": (), "why": why}
        decisions[name] = {**tree, "left_seconds": left, "decided": now()}
        if stage:
            text = f"# @package hydra.sweeper.design\n{json.dumps(stage.design, indent=1)}\n"
            path = self.folder / "conf" / "sweeps" / f"{stage.design['name']}.yaml"
            write_atomic(path, text.encode())
        write_json(self.folder / "decisions.json", decisions)
        lines = [f"- {one}: {decided['why']}" for one, decided in decisions.items()]
        write_atomic(
            self.folder / "study.md", "\n".join([f"# {self.design.name}", "", *lines, ""]).encode()
        )
        return stage

    def _sweep(self, stage: Stage) -> int:
        places = [f"'file://{(self.folder / 'conf').resolve()}'"]
        for word in self.words:
            if word.startswith(SEARCHPATH):
                places.append(word.removeprefix(SEARCHPATH).strip("[]"))
        words = [word for word in self.words if not word.startswith(SEARCHPATH)]
        own = [f"{SEARCHPATH}[{','.join(places)}]", f"sweeps={stage.design['name']}", *stage.words]
        return _python(SWEEP, ["-m", *own, *words])

    def _report(self) -> int:
        """The winner as a recipe file, and the page of everything."""
        runs = ["--runs", str(self.runs)]
        winner = self.folder / "winner.yaml"
        if self._measured("proof") and not winner.exists():
            _python(
                ASK, ["export-recipe", f"{self.design.name}_proof", "--out", str(winner), *runs]
            )
        return _python(ASK, ["report", *runs])


def _python(code: str, words: Sequence[str]) -> int:
    """A command of ours to its end; it hears Ctrl-C too, and a stop of this one stops it."""
    process = subprocess.Popen([sys.executable, "-c", code, *words])
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return INTERRUPTED


def _selection(one: Measured) -> float:
    """Mean accuracy on the selection set, of the weights that are reported."""
    return fmean(r["metrics"][f"selection_acc1.{r['selected_weights']}.selected"] for r in one[1])


def _cost(record: Record) -> float:
    """Seconds; of a trial without a result those of its epochs."""
    result = record.result()
    if result:
        return float(result["cost"]["seconds"])
    return float(sum(row.get("seconds", 0.0) for row in record.rows()))
