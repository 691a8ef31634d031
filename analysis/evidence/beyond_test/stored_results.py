"""Results of stored weights that were made of the trials of a sweep."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
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
    for result in stored_results(Path(frames.runs)):
        trials = used_trials(result)
        if not trials or not label_of.keys() >= set(trials):
            continue
        labels = sorted({label_of[trial] for trial in trials})
        for text in parameter_texts(result):
            name = f"{', '.join(labels)}: {result.kind} {text}".rstrip()
            groups.setdefault(name, []).append(result_measures(result))
    return {name: pd.DataFrame(groups[name]) for name in sorted(groups)}


def stored_results(runs: Path) -> list[DerivedResult]:
    """Return the derived results of a runs folder, of which each trial has one selected alpha.

    Each call of wise-ft selects one of its own alphas. Of several calls for a trial, the best of
    these on the selection set is the best of all alphas.
    """
    results = list(read_derived(runs))
    best: dict[tuple[Any, ...], DerivedResult] = {}
    for result in results:
        if result.facts.get("selected"):
            other = best.setdefault(_key(result), result)
            best[_key(result)] = max(other, result, key=_selection_rank)
    return [
        replace(one, facts={**one.facts, "selected": one is best[_key(one)]})
        if one.facts.get("selected")
        else one
        for one in results
    ]


def _key(result: DerivedResult) -> tuple[Any, ...]:
    return (result.kind, result.data_fingerprint, *(one.sha256 for one in result.parents))


def _selection_rank(result: DerivedResult) -> tuple[float, float, float]:
    """Return the key by which the best result is the largest: accuracy, lower loss, lower alpha."""
    accuracy, loss = (
        next((v for name, v in result.metrics.items() if name.startswith(start)), None)
        for start in (f"selection_{one}.{result.selected_weights}." for one in ("acc1", "loss"))
    )
    return (
        -math.inf if accuracy is None else accuracy,
        -math.inf if loss is None else -loss,
        -float(result.parameters.get("alpha", 0.0)),
    )


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
