"""Importance of knobs by fANOVA and PED-ANOVA, each with its spread over refits.

fANOVA explains the variance over all trials; PED-ANOVA explains what distinguishes the best tenth,
or the best five trials. A refit uses another bootstrap sample of the trials and another random
forest; a share that varies much between refits is no evidence. Both methods are Optuna's. Sources:
Hutter et al. 2014 (fANOVA), Watanabe et al. 2023 (PED-ANOVA).
"""

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric

if TYPE_CHECKING:
    from optuna.importance._base import BaseImportanceEvaluator

N_REFITS, N_TREES, MAX_DEPTH, MAX_ROWS, MIN_ROWS = 16, 16, 6, 500, 10
LOG_AXIS_DECADES = 2  # positive values over a wider range get a logarithmic axis
METHODS = ("fanova", "ped_anova")


class ImportanceShare(NamedTuple):
    """Importance of a knob over the refits; the means of all knobs sum to 1."""

    mean: float
    low: float  # 5 % quantile
    high: float  # 95 % quantile


Importance = dict[str, dict[str, ImportanceShare]]  # method -> knob -> share


def importance(table: TrialTable, refits: int = N_REFITS) -> Importance:
    """Return the importance of each knob by each method.

    Raises:
        ValueError: the table has too few rows or knobs, or its objective does not vary.
    """
    values = table.gains.to_numpy()
    if not is_explainable(table):
        raise ValueError(
            f"importance needs {MIN_ROWS} rows with {table.objective} (here {len(values)}), two"
            f" knobs (here {len(table.knobs)}), and an objective that varies"
        )
    axes = pd.DataFrame({knob: axis_positions(table.scored[knob]) for knob in table.knobs})
    samples = [_bootstrap_rows(len(values), refit) for refit in range(refits)]
    return {
        method: _summarise_refits(
            [
                _fit_importance(axes.iloc[rows], values[rows], method, n)
                for n, rows in enumerate(samples)
            ],
            table.knobs,
        )
        for method in METHODS
    }


def is_explainable(table: TrialTable) -> bool:
    """Return whether the table has enough rows and knobs, and an objective that varies."""
    values = table.gains.to_numpy()
    return len(values) >= MIN_ROWS and len(table.knobs) > 1 and bool(np.ptp(values) > 0)


def axis_positions(values: pd.Series, decades: float = LOG_AXIS_DECADES) -> pd.Series:
    """Return the position of each value on the axis that Optuna receives: a float, or a text.

    Positive numbers over more than `decades` become logarithms. Values without a position get one
    below the axis, each a mean gap lower: first zero on a logarithmic axis, then missing values. In
    a column of text a missing value is the text "(missing)".
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
    """Return the mean gap between levels, at least 1/20 of the range: PED-ANOVA's grid has 50."""
    span, levels = float(numbers.max() - numbers.min()), numbers.nunique()
    return max(span / max(levels - 1, 1), span / 20) or 1.0


def _bootstrap_rows(rows: int, refit: int) -> np.ndarray:
    return np.random.default_rng(refit).integers(rows, size=min(rows, MAX_ROWS))


def _fit_importance(
    axes: pd.DataFrame, gains: np.ndarray, method: str, seed: int
) -> dict[str, float]:
    """Fit once: knob -> share; {} if the objective does not vary in the sample."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # tqdm warns in notebooks
        import optuna  # lazy: optuna, 0.5 s

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
        warnings.simplefilter(
            "ignore", UserWarning
        )  # small samples: the spread over refits shows it
        shares = optuna.importance.get_param_importances(
            study, evaluator=_create_evaluator(method, seed, len(gains))
        )
    return {knob: float(share) for knob, share in shares.items()}


def _create_evaluator(method: str, seed: int, rows: int) -> "BaseImportanceEvaluator":
    """Create Optuna's evaluator; PED-ANOVA needs five trials in its best quantile."""
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
    """Summarise the shares over refits; a knob that did not vary in a sample counts as 0."""
    table = pd.DataFrame([fit for fit in fits if fit], columns=knobs).fillna(0.0)
    low, high = table.quantile(0.05), table.quantile(0.95)
    means = table.mean()
    return {
        knob: ImportanceShare(float(means[knob]), float(low[knob]), float(high[knob]))
        for knob in knobs
    }
