"""Frames + ablation -> a table: the numbers (csv) and the same numbers as a reader sees them."""

import math
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import evidence, knob_text
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.tables.footnotes import notes

MINUS, MISSING = "\N{MINUS SIGN}", "\N{EM DASH}"
TITLES = {
    "test_acc1": "test accuracy, %",
    "test_acc5": "test top-5 accuracy, %",
    "selection_acc1": "selection accuracy, %",
}


def title_of(metric: str) -> str:
    """As a reader knows it, where it is one of ours."""
    return TITLES.get(metric, metric)


class Table(NamedTuple):
    """`shown` holds text, `bold` its emphasis (same shape), `data` the csv."""

    name: str
    title: str
    data: pd.DataFrame
    shown: pd.DataFrame
    bold: pd.DataFrame
    notes: list[str]


def table(frames: Frames, ablation: Ablation) -> Table:
    """Raises NotSweptError if the ablation's sweep is not on record."""
    data = evidence(frames, ablation)
    shown = pd.DataFrame(
        [_shown(row, ablation) for _, row in data.iterrows()], index=data.index, dtype="str"
    )
    shown = shown.loc[:, (shown != "").any()]
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    if (column := _difference_title(ablation)) in bold:
        bold[column] = data["delta_excludes_zero"]
    return Table(ablation.name, ablation.title, data, shown, bold, notes(frames, ablation, data))


def _shown(row: pd.Series, ablation: Ablation) -> dict[str, str]:
    """Column title -> text; a column that is empty in all rows is not printed."""
    count = f"{row['n']}" if row["n"] == row["asked"] else f"{row['n']} of {row['asked']}"
    level = with_interval(row[ablation.metric], row["ci_low"], row["ci_high"])
    cost = {"cost, s": _cost(row["seconds"])}
    if row["gpu_hours"] > 0:
        cost = {"cost, GPU-h": _cost(row["gpu_hours"])}
    ours = {
        ablation.row: "" if _says_its_knobs(row, ablation) else str(row[ablation.row]),
        **{knob: _level(row[knob]) for knob in ablation.knobs},
        "what changed": "" if ablation.knobs else row["changed"],
        title_of(ablation.metric): (
            f"{MISSING} ({count})" if math.isnan(row[ablation.metric]) else level
        ),
        "seeds": count,
        _difference_title(ablation): _difference(row),
        **cost,
    }
    return {**ours, **_paper(row), "differs": row["differs"]}


def _says_its_knobs(row: pd.Series, ablation: Ablation) -> bool:
    """Whether the label repeats what stands in the columns of the knobs: "lr=0.003"."""
    named = [part.partition("=")[0] for part in str(row[ablation.row]).split(",")]
    return bool(ablation.knobs) and tuple(named) == ablation.knobs


def _paper(row: pd.Series) -> dict[str, str]:
    agrees = "" if pd.isna(row["sign_agrees"]) else "yes" if row["sign_agrees"] else "no"
    return {
        "paper, %": _number(row["paper_acc1"], ".1f"),
        "paper Δ": _number(row["paper_delta"], "+.1f"),
        "paper, V100-h": _number(row["paper_v100_hours"], ".1f"),
        "sign agrees": agrees if row["delta_excludes_zero"] or not agrees else f"({agrees})",
    }


def _difference_title(ablation: Ablation) -> str:
    before = f"the {ablation.row} before" if ablation.against == "previous" else "the first"
    return f"Δ to {before}"


def _difference(row: pd.Series) -> str:
    if row["delta_why"] == "first row":
        return ""
    return difference_text(row["delta"], row["delta_low"], row["delta_high"])


def difference_text(delta: float, low: float, high: float) -> str:
    """ "+0.31 ± 0.12", with a true minus sign; a dash where there is no number."""
    return MISSING if math.isnan(delta) else with_interval(delta, low, high, "+.2f")


def with_interval(mean: float, low: float, high: float, spec: str = ".2f") -> str:
    """Mean ± half-width, to as many digits: a t interval is symmetric."""
    half = "" if math.isnan(low) else f" ± {(high - low) / 2:{spec.lstrip('+')}}"
    return _number(mean, spec) + half


def _cost(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _number(value: float, spec: str) -> str:
    return "" if math.isnan(value) else f"{value:{spec}}".replace("-", MINUS)


def _level(value: Any) -> str:
    return MISSING if pd.isna(value) else knob_text(value)
