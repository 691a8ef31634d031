"""Results that trials of a sweep have before it starts, and requested outputs that are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clip_hparam.config.text.count import counted
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.finished import missing_outputs, replay_hint, validate_ranks
from clip_hparam.records.record import Record


@dataclass(frozen=True)
class StoredResults:
    """The results on record of trials by their id.

    lacking: outputs that a trial is asked for and does not have.
    replay: whether the trials that lack outputs are trained again for them.
    """

    specs: Mapping[str, TrialSpec]
    results: Mapping[str, dict[str, Any]]
    lacking: Mapping[str, Sequence[str]]
    replay: bool

    @property
    def done(self) -> set[str]:
        """Ids of the trials that are not run."""
        return self.results.keys() - (self.lacking if self.replay else ())

    @property
    def git_states(self) -> dict[str, Any]:
        """State of the code that each result comes from."""
        return {name: result.get("git") for name, result in self.results.items()}

    @property
    def note_of_lacking(self) -> str:
        """Missing outputs of trials that are done, and the command for them; empty with replay."""
        if self.replay or not self.lacking:
            return ""
        listed = dict.fromkeys(output for missing in self.lacking.values() for output in missing)
        trials = f"{len(self.lacking)} of {counted(len(self.results), 'done trial')}"
        hint = replay_hint(
            {name: self.specs[name] for name in self.lacking},
            {name: self.results[name] for name in self.lacking},
        )
        return f"not in the folders of {trials}: {', '.join(listed)}; {hint}"

    def replays_without_effect(self) -> list[str]:
        """Return the ids of the trials that lack outputs after they were trained again."""
        replayed = self.lacking if self.replay else ()
        return [name for name in replayed if missing_outputs(self.specs[name])]


def read_stored_results(specs: Mapping[str, TrialSpec], replay: bool) -> StoredResults:
    """Read the results of the trials that are done.

    Raises ValueError for a replay in another number of ranks than the trial was trained in.
    """
    results = {name: result for name, spec in specs.items() if (result := result_of(spec))}
    lacking = {name: missing for name in results if (missing := missing_outputs(specs[name]))}
    for name in lacking if replay else ():
        validate_ranks(specs[name], results[name])
    return StoredResults(specs, results, lacking, replay)


def result_of(spec: TrialSpec) -> dict[str, Any] | None:
    """Return the result of a trial; None if it is not done, or its files are damaged."""
    return Record(spec.machine.runs, spec.trial_id).verified_result()
