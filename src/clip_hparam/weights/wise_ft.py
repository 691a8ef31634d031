"""WiSE-FT: interpolate between the weights before and after fine-tuning.

Source: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022.
"""

from collections.abc import Sequence
from dataclasses import replace

from clip_hparam.config.knob import AUTO
from clip_hparam.records.derived import DerivedResult
from clip_hparam.weights.arithmetic import interpolate
from clip_hparam.weights.evaluator import Evaluator, open_evaluator
from clip_hparam.weights.ranking import selection_rank
from clip_hparam.weights.stored import StoredWeights

WISE_FT = "wise_ft"
ALPHAS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def wise_ft_curve(
    stored: StoredWeights, alphas: Sequence[float] = ALPHAS, device: str = AUTO
) -> list[DerivedResult]:
    """Return the results of (1 - alpha) * start + alpha * trained, one for each alpha.

    `facts["selected"]` is true for the alpha with the best accuracy on the selection set.

    Raises: ValueError for a trial whose head started at random, or an alpha outside [0, 1].
    """
    validate_alphas(alphas)
    if stored.recipe.head_init == "random":
        raise ValueError(
            f"trial {stored.trial_id} started from a random head, so that alpha=0 is not a"
            " classifier: train with head_init=zero_shot pool=clip, or head_init=linear_probe"
        )
    with open_evaluator(stored, device) as evaluator:
        results = [_result(stored, evaluator, alpha) for alpha in alphas]
    best = max(results, key=selection_rank)
    return [
        replace(result, facts={**result.facts, "selected": result is best}) for result in results
    ]


def validate_alphas(alphas: Sequence[float]) -> None:
    """Raise ValueError unless there are alphas and all are in [0, 1]."""
    outside = [alpha for alpha in alphas if not 0 <= alpha <= 1]
    if outside or not alphas:
        given = f"{outside[0]:g} is not in [0, 1]" if outside else "there is none"
        raise ValueError(f"--alphas: {given}: try --alphas 0,0.5,1")


def _result(stored: StoredWeights, evaluator: Evaluator, alpha: float) -> DerivedResult:
    weights = interpolate(evaluator.start, stored.load(), alpha)
    return DerivedResult(
        kind=WISE_FT,
        parents=(stored.parent,),
        parameters={"alpha": alpha},
        metrics=evaluator.metrics(weights),
        selected_weights=stored.weights,
        data_fingerprint=stored.recipe.data.fingerprint,
        facts={"start": stored.recipe.head_init, **evaluator.facts},
    )
