"""Results of stored weights that were made of the trials of a sweep."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clip_hparam.analysis.evidence.beyond_test.measures import Measures, result_measures
from clip_hparam.analysis.evidence.replicates import Replicates
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.records.derived import DerivedResult, read_derived

SELECTED_ALPHA = "alpha by selection set"


def results_of_cells(frames: Frames, cells: Sequence[Replicates]) -> dict[str, pd.DataFrame]:
    """Return the measures of the results of stored weights of these cells, a row per result.

    Keys are "<cell>, <cell>: <kind> <parameters>", sorted; a group has a result per seed, or one of
    all seeds.
    """
    label_of = {trial: cell.cell.label for cell in cells for trial in cell.trials["trial_id"]}
    groups: dict[str, list[Measures]] = {}
    for result in read_derived(Path(frames.runs)):
        trials = used_trials(result)
        if not trials or not label_of.keys() >= set(trials):
            continue
        labels = sorted({label_of[trial] for trial in trials})
        for text in parameter_texts(result):
            name = f"{', '.join(labels)}: {result.kind} {text}".rstrip()
            groups.setdefault(name, []).append(result_measures(result))
    return {name: pd.DataFrame(groups[name]) for name in sorted(groups)}


def used_trials(result: DerivedResult) -> list[str]:
    """Return the candidates of a greedy soup, else the parents."""
    return list(result.facts.get("candidates") or result.trial_ids)


def parameter_texts(result: DerivedResult) -> list[str]:
    """Return the parameters of a result as text, and a second text where it was selected."""
    shown = {name: value for name, value in result.parameters.items() if name != "of"}
    texts = [" ".join(f"{name}={_text(value)}" for name, value in shown.items())]
    return [*texts, SELECTED_ALPHA] if result.facts.get("selected") else texts


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
