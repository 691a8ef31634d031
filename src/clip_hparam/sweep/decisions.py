"""What a study decided, and why: decisions.json, study.md for people, and each stage's design."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clip_hparam.config.duration import format_duration
from clip_hparam.records.atomic import read_json, utc_timestamp, write_atomic, write_json
from clip_hparam.sweep.stages import InsufficientBudgetError, Stage


@dataclass(frozen=True)
class Decisions:
    """In the folder of a study; what is decided stays decided."""

    folder: Path

    @property
    def conf(self) -> Path:
        """A place for hydra.searchpath: the designs are conf/sweeps/<stage>.yaml."""
        return self.folder / "conf"

    def all(self) -> dict[str, Any]:
        """Stage -> its decision, in the order in which they were made."""
        return read_json(self.folder / "decisions.json") or {}

    def stage(self, name: str) -> Stage | None:
        """None if nothing is decided of it, or that it was left out."""
        tree = self.all().get(name)
        if tree is None or tree["design"] is None:
            return None
        return Stage(name, tree["design"], tuple(tree["words"]), tree["why"])

    def decide(self, name: str, plan: Callable[[], Stage], left: float) -> Stage | None:
        """Plan a stage and put it on disk; None, and the reason on disk, if it does not fit.

        `left`: seconds of all workers.
        """
        try:
            stage: Stage | None = plan()
            why = stage.why if stage else ""
        except InsufficientBudgetError as error:
            stage, why = None, f"left out: {error}"
        time_left = format_duration(max(0.0, left))
        print(f"{self.folder.name}, {name}: {why} ({time_left} of trials are left)")
        tree = asdict(stage) if stage else {"name": name, "design": None, "words": (), "why": why}
        decisions = {**self.all(), name: {**tree, "left_seconds": left, "decided": utc_timestamp()}}
        if stage:
            text = f"# @package hydra.sweeper.design\n{json.dumps(stage.design, indent=1)}\n"
            write_atomic(self.conf / "sweeps" / f"{stage.design['name']}.yaml", text.encode())
        write_json(self.folder / "decisions.json", decisions)
        lines = [f"- {one}: {decided['why']}" for one, decided in decisions.items()]
        text = "\n".join([f"# {self.folder.name}", "", *lines, ""])
        write_atomic(self.folder / "study.md", text.encode())
        return stage
