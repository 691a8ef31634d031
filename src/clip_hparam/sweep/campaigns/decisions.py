"""The decisions of a campaign with their reasons, and the design of each stage, on disk."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clip_hparam.config.text.duration import format_duration
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.config.trial_spec import trial_words
from clip_hparam.records.atomic import read_json, utc_timestamp, write_atomic, write_json
from clip_hparam.sweep.campaigns.stages import InsufficientBudgetError, Stage


@dataclass(frozen=True)
class Decisions:
    """The decisions in the folder of a campaign; a decision is never changed.

    decisions.json holds them, overrides.json the overrides typed first.
    """

    folder: Path

    @property
    def conf(self) -> Path:
        """The folder for hydra.searchpath: designs are in conf/sweeps/<stage>.yaml."""
        return self.folder / "conf"

    def all(self) -> dict[str, Any]:
        """Return the decisions by stage, in the order in which they were made."""
        return read_json(self.folder / "decisions.json") or {}

    def validate_overrides(self, overrides: Sequence[str]) -> None:
        """Raise ValueError if the campaign was begun with overrides that make other trials."""
        words = sorted(trial_words(overrides))
        begun = read_json(self.folder / "overrides.json")
        if begun is None:
            write_json(self.folder / "overrides.json", {"overrides": words})
        elif begun["overrides"] != words:
            theirs = " ".join(begun["overrides"]) or "the design alone"
            raise ValueError(
                f"study {self.folder.name} was started with {theirs}, and its decisions are"
                " valid for it only: type name=NAME to start another study"
            )

    def stage(self, name: str) -> Stage | None:
        """Return a stage that was decided; None if it is undecided or was left out."""
        tree = self.all().get(name)
        if tree is None or tree["design"] is None:
            return None
        return Stage(name, tree["design"], tuple(tree["words"]), tree["why"])

    def decide(self, name: str, plan: Callable[[], Stage], left: float) -> Stage | None:
        """Plan a stage, write the decision and return the stage, None if the budget is too small.

        left: seconds of all workers.
        """
        stage: Stage | None = None
        try:
            stage = plan()
            why = stage.why
        except InsufficientBudgetError as error:
            why = f"left out: {error}"
        time_left = format_duration(max(0.0, left))
        print_wrapped(f"{self.folder.name}, {name}: {why} ({time_left} of training are left)")
        tree = asdict(stage) if stage else {"name": name, "design": None, "words": (), "why": why}
        decisions = {**self.all(), name: {**tree, "left_seconds": left, "decided": utc_timestamp()}}
        if stage:
            text = f"# @package hydra.sweeper.design\n{json.dumps(stage.design, indent=1)}\n"
            write_atomic(self.conf / "sweeps" / f"{stage.design['name']}.yaml", text.encode())
        write_json(self.folder / "decisions.json", decisions)
        return stage
