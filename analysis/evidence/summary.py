"""A study in one object and in a page of text: what was found, and how sure that is."""

import math
from typing import Any

from clip_hparam.analysis.evidence.evidence import knob_text
from clip_hparam.analysis.evidence.importance import Importance, importance
from clip_hparam.analysis.frames.trial_table import Study, is_number, plain
from clip_hparam.analysis.stats.expected_best import expected_best
from clip_hparam.config.knob import is_boundary_value
from clip_hparam.config.recipe import knobs

BUDGETS = (1, 2, 5, 10, 20, 40)
FEWEST = 3  # pairs: two ranks always agree or differ altogether


def summary(study: Study) -> tuple[dict[str, Any], list[str]]:
    """JSON-ready, and a sentence for each thing that could not be said."""
    gaps: list[str] = []
    if missing := len(study.rows) - len(study.scored):
        gaps.append(f"{missing} rows have no {study.objective} and do not count in best")
    found: Importance = {}
    try:
        found = importance(study)
    except ValueError as error:
        gaps.append(f"no importance: {error}")
    return as_json(study, found), gaps


def as_json(study: Study, found: Importance) -> dict[str, Any]:
    """The object that is printed, with the importance that was found."""
    return {
        "n": len(study.rows),
        "duplicates": study.duplicates,
        "incomplete": study.incomplete,
        "best": _best(study),
        "spearman": _spearman(study),
        "expected_best": _expected(study),
        "importance": {
            method: {knob: share._asdict() for knob, share in shares.items()}
            for method, shares in found.items()
        },
        "edges": edges(study),
    }


def edges(study: Study) -> list[str]:
    """Knobs of numbers whose value in the best row is the least or the greatest that was tried."""
    best = study.best
    return [
        knob
        for knob in study.knobs
        if best is not None
        and is_number(study.rows[knob])
        and study.rows[knob].nunique() > 1
        and best[knob] in (study.rows[knob].min(), study.rows[knob].max())
    ]


def edge_warnings(study: Study) -> list[str]:
    """A sentence for each knob whose best value has nothing tried beyond it, and could have."""
    best = study.best
    sentences = []
    for knob in edges(study):
        assert best is not None
        if knob in knobs() and is_boundary_value(
            float(best[knob]), knobs()[knob].metadata["legal"]
        ):
            continue
        end = "largest" if best[knob] == study.rows[knob].max() else "smallest"
        sentences.append(f"best {knob} is the {end} tried, {knob_text(plain(best[knob]))}: widen")
    return sentences


def text(said: dict[str, Any], study: Study) -> str:
    """For people; the object's content in its order."""
    goal = f"{'lowest' if study.minimize else 'highest'} {study.objective}"
    lines = [
        f"{said['n']} trials{_unscored(study)}; {said['duplicates']} duplicates dropped,"
        f" {said['incomplete']} without any knob set aside"
    ]
    if best := said["best"]:
        lines += ["", f"{goal}: {best['name']}", f"  {_pairs(best['metrics'])}"]
        lines += [f"  {_pairs(best['knobs'])}"]
    if best:
        lines += [f"  {warning}" for warning in edge_warnings(study)]
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
        lines += [f"  {one}: {_pairs({k: v for k, v in others.items() if k != one})}"]
    return "\n".join(lines)


def _unscored(study: Study) -> str:
    scored = len(study.scored)
    return f", {scored} of them with {study.objective}" if scored < len(study.rows) else ""


def _best(study: Study) -> dict[str, Any] | None:
    best = study.best
    if best is None:
        return None
    return {
        "name": str(best.name),
        "knobs": {knob: plain(best[knob]) for knob in study.knobs},
        "metrics": {metric: plain(best[metric]) for metric in study.metrics},
    }


def _spearman(study: Study) -> dict[str, dict[str, Any]]:
    """Over the rows that have both; null where they are few, or a metric does not vary."""
    table = study.rows[study.metrics].astype(float).corr(method="spearman", min_periods=FEWEST)
    return {
        one: {other: plain(table.loc[one, other]) for other in study.metrics}
        for one in study.metrics
    }


def _expected(study: Study) -> dict[str, float]:
    values = study.scored[study.objective].astype(float)
    return {str(n): expected_best(values, n, study.minimize) for n in BUDGETS if n <= len(values)}


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in values.items())


def _shown(value: Any) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "missing" if missing else knob_text(value)
