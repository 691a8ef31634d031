"""Which knobs mattered: fANOVA and PED-ANOVA side by side, each with its spread over refits.

They answer two questions: what explains the spread over all trials (fANOVA: a forest's variance),
and what sets the best tenth apart, or the best five trials (PED-ANOVA). One refit takes another
sample of the trials, with replacement, and another forest: numbers that move between refits are no
findings. Both are optuna's (Hutter et al. 2014; Watanabe et al. 2023).
"""

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric

if TYPE_CHECKING:
    from optuna.importance._base import BaseImportanceEvaluator

N_REFITS, N_TREES, MAX_DEPTH, MAX_ROWS, MIN_ROWS = 16, 16, 6, 500, 10
LOG_AXIS_DECADES = 2  # positive values that span more get a logarithmic axis
METHODS = ("fanova", "ped_anova")


class ImportanceShare(NamedTuple):
    """Of 1 over all knobs; low and high are 5 and 95 % of the refits."""

    mean: float
    low: float
    high: float


Importance = dict[str, dict[str, ImportanceShare]]  # method -> knob -> share


def importance(study: TrialTable, refits: int = N_REFITS) -> Importance:
    """Raises ValueError if there is nothing to explain: under ten rows, one knob, one value."""
    values = study.gains.to_numpy()
    if not is_explainable(study):
        raise ValueError(
            f"importance needs {MIN_ROWS} rows with {study.objective} (here {len(values)}), two"
            f" knobs (here {len(study.knobs)}), and an objective that varies"
        )
    axes = pd.DataFrame({knob: axis_positions(study.scored[knob]) for knob in study.knobs})
    samples = [_bootstrap_rows(len(values), refit) for refit in range(refits)]
    return {
        method: _summarise_refits(
            [
                _fit_importance(axes.iloc[rows], values[rows], method, n)
                for n, rows in enumerate(samples)
            ],
            study.knobs,
        )
        for method in METHODS
    }


def is_explainable(study: TrialTable) -> bool:
    """Whether there is anything to explain."""
    values = study.gains.to_numpy()
    return len(values) >= MIN_ROWS and len(study.knobs) > 1 and bool(np.ptp(values) > 0)


def axis_positions(values: pd.Series, decades: float = LOG_AXIS_DECADES) -> pd.Series:
    """A knob's place on the axis that optuna sees: a float, or the level's text.

    Positive numbers over more decades than these are taken as logarithms. What is not on the axis
    has a place of its own, a mean step below: first zero on a logarithmic axis, then what is
    missing. Among names, missing is a name.
    """
    if not is_numeric(values):
        return values.map(str, na_action="ignore").astype(object).where(values.notna(), "(missing)")
    numbers = values.astype(float)
    positive = numbers[numbers > 0]
    if numbers.min() >= 0 and len(positive) and positive.max() / positive.min() > 10**decades:
        logarithms = numbers.where(numbers > 0).map(np.log10)
        numbers = logarithms.mask(numbers == 0, logarithms.min() - _mean_gap(logarithms))
    return numbers.fillna(numbers.min() - _mean_gap(numbers))


def _mean_gap(numbers: pd.Series) -> float:
    """The mean gap between levels, but one that a grid of 50 still sees."""
    span, levels = float(numbers.max() - numbers.min()), numbers.nunique()
    return max(span / max(levels - 1, 1), span / 20) or 1.0


def _bootstrap_rows(rows: int, refit: int) -> np.ndarray:
    return np.random.default_rng(refit).integers(rows, size=min(rows, MAX_ROWS))


def _fit_importance(
    axes: pd.DataFrame, gains: np.ndarray, method: str, seed: int
) -> dict[str, float]:
    """One refit: knob -> share; {} if the sample's objective does not vary."""
    import optuna  # 0.5 s, and only here

    if np.ptp(gains) == 0:
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    knobs = [str(knob) for knob in axes]
    distributions = {knob: _distribution(axes[knob]) for knob in knobs}
    study = optuna.create_study(direction="minimize")
    for values, gain in zip(axes.to_numpy(dtype=object), gains, strict=True):
        row = dict(zip(knobs, values, strict=True))
        study.add_trial(
            optuna.trial.create_trial(params=row, distributions=distributions, value=-float(gain))
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # small samples: the spread says it better
        found = optuna.importance.get_param_importances(
            study, evaluator=_create_evaluator(method, seed, len(gains))
        )
    return {knob: float(share) for knob, share in found.items()}


def _create_evaluator(method: str, seed: int, rows: int) -> "BaseImportanceEvaluator":
    """PED-ANOVA wants five trials in its best quantile."""
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    if method == "fanova":
        return FanovaImportanceEvaluator(n_trees=N_TREES, max_depth=MAX_DEPTH, seed=seed)
    return PedAnovaImportanceEvaluator(target_quantile=max(0.1, min(0.5, 5 / rows)))


def _distribution(values: pd.Series):  # type: ignore[no-untyped-def]
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if values.dtype == object:
        return CategoricalDistribution(sorted(values.unique()))
    return FloatDistribution(float(values.min()), float(values.max()))


def _summarise_refits(fits: list[dict[str, float]], knobs: list[str]) -> dict[str, ImportanceShare]:
    """A knob that a fit leaves out did not vary in its sample."""
    table = pd.DataFrame([fit for fit in fits if fit], columns=knobs).fillna(0.0)
    low, high = table.quantile(0.05), table.quantile(0.95)
    means = table.mean()
    return {
        knob: ImportanceShare(float(means[knob]), float(low[knob]), float(high[knob]))
        for knob in knobs
    }
