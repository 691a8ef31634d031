"""A study in one object and in a page of text: what was found, and how sure that is."""

import math
from typing import Any, NamedTuple

from clip_hparam.analysis.evidence.importance import Importance, importance
from clip_hparam.analysis.frames.frame import Frames, ended_trials
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric, to_json_value
from clip_hparam.analysis.stats.expected_best import expected_best
from clip_hparam.config.knob import is_boundary_value
from clip_hparam.config.recipe import knobs

TRIAL_BUDGETS = (1, 2, 5, 10, 20, 40)
MIN_PAIRS = 3  # pairs: two ranks always agree or differ altogether


def summarise(study: TrialTable) -> tuple[dict[str, Any], list[str]]:
    """JSON-ready, and a sentence for each thing that could not be said."""
    gaps: list[str] = []
    if missing := len(study.rows) - len(study.scored):
        gaps.append(f"{missing} rows have no {study.objective} and do not count in best")
    found: Importance = {}
    try:
        found = importance(study)
    except ValueError as error:
        gaps.append(f"no importance: {error}")
    return summary_dict(study, found), gaps


def summary_dict(study: TrialTable, found: Importance) -> dict[str, Any]:
    """The object that is printed, with the importance that was found."""
    return {
        "n": len(study.rows),
        "duplicates": study.duplicates,
        "incomplete": study.incomplete,
        "best": _best_row(study),
        "spearman": _rank_correlations(study),
        "expected_best": _expected_best(study),
        "importance": {
            method: {knob: share._asdict() for knob, share in shares.items()}
            for method, shares in found.items()
        },
        "edges": boundary_knobs(study),
    }


def boundary_knobs(study: TrialTable) -> list[str]:
    """Knobs of numbers whose value in the best row is the least or the greatest that was tried."""
    best = study.best
    return [
        knob
        for knob in study.knobs
        if best is not None
        and is_numeric(study.rows[knob])
        and study.rows[knob].nunique() > 1
        and best[knob] in (study.rows[knob].min(), study.rows[knob].max())
    ]


def boundary_warnings(study: TrialTable) -> list[str]:
    """A sentence for each knob whose best value has nothing tried beyond it, and could have."""
    best = study.best
    sentences = []
    for knob in boundary_knobs(study):
        assert best is not None
        if knob in knobs() and is_boundary_value(
            float(best[knob]), knobs()[knob].metadata["legal"]
        ):
            continue
        end = "largest" if best[knob] == study.rows[knob].max() else "smallest"
        sentences.append(
            f"best {knob} is the {end} tried, {format_knob(to_json_value(best[knob]))}: widen"
        )
    return sentences


def format_summary(said: dict[str, Any], study: TrialTable) -> str:
    """For people; the object's content in its order."""
    goal = f"{'lowest' if study.minimize else 'highest'} {study.objective}"
    lines = [
        f"{said['n']} trials{_unscored_text(study)}; {said['duplicates']} duplicates dropped,"
        f" {said['incomplete']} without any knob set aside"
    ]
    if best := said["best"]:
        lines += ["", f"{goal}: {best['name']}", f"  {_format_pairs(best['metrics'])}"]
        lines += [f"  {_format_pairs(best['knobs'])}"]
    if best:
        lines += [f"  {warning}" for warning in boundary_warnings(study)]
    if spared := said.get("pruning"):
        lines += [
            "",
            f"pruning: {spared['pruned']} of {spared['trials']} trials ended early,"
            f" {spared['epochs']} of {spared['asked']} epochs trained, {spared['share']:.0%} saved",
        ]
    pruned = " that were not pruned, which are better than most" if said.get("pruning") else ""
    lines += ["", f"expected {goal} of n trials{pruned}:"]
    lines += [f"  {n:>3}  {value:.4g}" for n, value in said["expected_best"].items()]
    for method, shares in said["importance"].items():
        lines += ["", f"importance by {method.replace('_', '-')} (5 to 95 % of refits):"]
        ordered = sorted(shares.items(), key=lambda pair: -pair[1]["mean"])
        lines += [
            f"  {share['mean']:4.2f}  ({share['low']:.2f} to {share['high']:.2f})  {knob}"
            for knob, share in ordered
        ]
    lines += ["", "Spearman between metrics:"]
    for one, others in said["spearman"].items():
        lines += [f"  {one}: {_format_pairs({k: v for k, v in others.items() if k != one})}"]
    return "\n".join(lines)


def _unscored_text(study: TrialTable) -> str:
    scored = len(study.scored)
    return f", {scored} of them with {study.objective}" if scored < len(study.rows) else ""


def _best_row(study: TrialTable) -> dict[str, Any] | None:
    best = study.best
    if best is None:
        return None
    return {
        "name": str(best.name),
        "knobs": {knob: to_json_value(best[knob]) for knob in study.knobs},
        "metrics": {metric: to_json_value(best[metric]) for metric in study.metrics},
    }


def _rank_correlations(study: TrialTable) -> dict[str, dict[str, Any]]:
    """Over the rows that have both; null where they are few, or a metric does not vary."""
    table = study.rows[study.metrics].astype(float).corr(method="spearman", min_periods=MIN_PAIRS)
    return {
        one: {other: to_json_value(table.loc[one, other]) for other in study.metrics}
        for one in study.metrics
    }


def _expected_best(study: TrialTable) -> dict[str, float]:
    values = study.scored[study.objective].astype(float)
    return {
        str(n): expected_best(values, n, study.minimize) for n in TRIAL_BUDGETS if n <= len(values)
    }


def _format_pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_format_value(value)}" for name, value in values.items())


def _format_value(value: Any) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "missing" if missing else format_knob(value)


class PruningSavings(NamedTuple):
    """Of the trials that are done or pruned."""

    trials: int
    pruned: int
    epochs: int  # trained
    asked: int  # of all of them to the end

    @property
    def share(self) -> float:
        return 1 - self.epochs / self.asked


def pruning_savings(frames: Frames, sweep: SweepManifest | None = None) -> PruningSavings | None:
    """By a search, the newest if none is named; None if nothing was pruned."""
    ended = ended_trials(frames, sweep)
    pruned = int((ended["status"] == "pruned").sum())
    if not pruned:
        return None
    trained = frames.epochs["trial_id"].isin(ended["trial_id"]).sum()
    return PruningSavings(len(ended), pruned, int(trained), int(ended["epochs"].sum()))
