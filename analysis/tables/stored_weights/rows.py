"""One row per derived result, with the trials it was made of and the best of them.

The best trial of a soup is that with the highest selection accuracy, then the lowest selection
loss. EMA and raw weights of the trials are rows too, so that all stand in one table.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.beyond_test.extra_sets import extra_sets
from clip_hparam.analysis.evidence.beyond_test.measures import (
    REPORTED,
    Measures,
    metric_of,
    result_measures,
    trial_measures,
)
from clip_hparam.analysis.evidence.beyond_test.stored_results import parameter_texts, used_trials
from clip_hparam.analysis.frames.frame import Frames, done_trials, reported_values
from clip_hparam.records.derived import DerivedResult

TRAINED, RAW = "trained", "raw weights"
REPORTED_METRICS = ("test_acc1", "selection_acc1", "selection_loss")


class DerivedRow(NamedTuple):
    """Numbers of one set of weights; accuracies in percent, NaN where one is not known.

    source: [sweep/]label of the cell, "sweep: label, label" of several cells, or trial ids.
    seed: of all trials; -1 where their seeds differ or are not known.
    outside_acc1: mean over the sets out of distribution. known_before, known_acc1: accuracy of
        CLIP's zero-shot classifier, before fine-tuning and with these weights. test_ece: in [0, 1].
    trained_acc1: test accuracy of the best trial, of the weights that it reports.
    trials: ids of the trials, the candidates of a soup, joined by blanks.
    """

    source: str
    kind: str
    parameters: str
    seed: int
    test_acc1: float
    outside_acc1: float
    known_before: float
    known_acc1: float
    test_ece: float
    test_loss: float
    selection_acc1: float
    trained_acc1: float
    trials: str
    derived_id: str


def derived_rows(frames: Frames, results: Sequence[DerivedResult]) -> list[DerivedRow]:
    """Return the rows of derived results, preceded by those of the trials of each source."""
    trials = _with_reported(done_trials(frames.trials))
    cells = _cells_of_trials(frames)
    sources = [_source(used_trials(result), cells) for result in results]
    used = dict.fromkeys(
        (source, " ".join(used_trials(result)))
        for source, result in zip(sources, results, strict=True)
    )
    rows = [row for source, ids in used for row in _trained_rows(source, ids, trials)]
    for source, result in zip(sources, results, strict=True):
        rows += _rows_of_result(source, result, trials)
    return rows


def _with_reported(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the trials by id, with columns of their reported weights named by the metric."""
    columns = {name: reported_values(trials, name) for name in REPORTED_METRICS}
    return trials.assign(**columns).set_index("trial_id")


def _cells_of_trials(frames: Frames) -> dict[str, tuple[str, str]]:
    """Return the name of the sweep and the label of the cell of each trial; newer sweeps win."""
    return {
        trial: (sweep.name, cell.label)
        for sweep in frames.sweeps
        for cell in sweep.cells
        for trial in cell.trials.values()
    }


def _source(trials: Iterable[str], cells: dict[str, tuple[str, str]]) -> str:
    sources = {cells.get(trial, ("", trial)) for trial in trials}
    if len(sources) == 1:
        sweep, label = sources.pop()
        return f"{sweep}/{label}" if sweep else label
    names = sorted({sweep for sweep, _ in sources})
    labels = ", ".join(sorted(label for _, label in sources))
    return f"{' + '.join(names)}: {labels}" if all(names) else labels


def _best(ids: Iterable[str], trials: pd.DataFrame) -> "pd.Series | None":
    """Return the trial that the selection set selects; None if none is on record."""
    known = trials.loc[[name for name in ids if name in trials.index]]
    if known.empty:
        return None
    ordered = known.sort_values(["selection_acc1", "selection_loss"], ascending=[False, True])
    return ordered.iloc[0]


def _common_seed(ids: Sequence[str], trials: pd.DataFrame) -> int:
    known = [name for name in ids if name in trials.index]
    seeds = {int(seed) for seed in trials.loc[known, "seed"].tolist()}
    return seeds.pop() if len(seeds) == 1 else -1


def _trained_rows(source: str, ids: str, trials: pd.DataFrame) -> Iterator[DerivedRow]:
    """Yield the reported weights of the best trial, and its raw weights if these are others."""
    best = _best(ids.split(), trials)
    if best is None:
        return
    shared: dict[str, Any] = {
        "source": source,
        "seed": _common_seed(ids.split(), trials),
        "trained_acc1": best["test_acc1"],
        "trials": str(best.name),
        "derived_id": "",
    }
    of = len(ids.split())
    chosen = "" if of == 1 else f"best of {of}"
    has_ema = best["selected_weights"] == "ema"
    yield _trained_row(f"{TRAINED}, EMA" if has_ema else TRAINED, chosen, shared, best, REPORTED)
    if has_ema and not pd.isna(best["test_acc1.raw.selected"]):
        yield _trained_row(f"{TRAINED}, {RAW}", chosen, shared, best, "raw")


def _trained_row(
    kind: str, chosen: str, shared: dict[str, Any], trial: pd.Series, weights: str
) -> DerivedRow:
    """Return the row of a trial with its raw, or its reported weights."""
    frame = trial.to_frame().T
    measured = trial_measures(frame, extra_sets(frame), weights).iloc[0]
    test_loss, selection = (
        metric_of(frame, name, weights).iloc[0] for name in ("test_loss", "selection_acc1")
    )
    return DerivedRow(
        kind=kind,
        parameters=chosen,
        test_loss=float(test_loss),
        selection_acc1=float(selection),
        **_columns(Measures(*map(float, measured))),
        **shared,
    )


def _columns(measures: Measures) -> dict[str, Any]:
    return {
        "test_acc1": measures.test,
        "outside_acc1": measures.outside,
        "known_before": measures.known_before,
        "known_acc1": measures.known_after,
        "test_ece": measures.ece,
    }


def _rows_of_result(
    source: str, result: DerivedResult, trials: pd.DataFrame
) -> Iterator[DerivedRow]:
    """Yield the row of a result, and a second one where the selection set selected it."""
    ids = used_trials(result)
    best = _best(ids, trials)
    for text in parameter_texts(result):
        yield DerivedRow(
            source=source,
            kind=result.kind,
            parameters=text,
            seed=_common_seed(ids, trials),
            **_columns(result_measures(result)),
            test_loss=_reported(result, "test_loss"),
            selection_acc1=_reported(result, "selection_acc1"),
            trained_acc1=math.nan if best is None else float(best["test_acc1"]),
            trials=" ".join(ids),
            derived_id=result.derived_id,
        )


def _reported(result: DerivedResult, metric: str) -> float:
    """Return a metric of the reported weights; NaN if it was not measured."""
    prefix = f"{metric}.{result.selected_weights}."
    values = (value for name, value in result.metrics.items() if name.startswith(prefix))
    value = next(values, None)
    return math.nan if value is None else float(value)
