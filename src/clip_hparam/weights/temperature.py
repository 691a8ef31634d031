"""Temperature scaling of stored weights: fitted to the selection set, measured on the others."""

import torch
import torch.nn.functional as F

from clip_hparam.config.knob import AUTO
from clip_hparam.data.dataset import SELECTION
from clip_hparam.records.derived import DerivedResult
from clip_hparam.training.metrics.temperature import fit_temperature
from clip_hparam.weights.evaluator import Evaluator, open_evaluator
from clip_hparam.weights.stored import StoredWeights

TEMPERATURE = "temperature"


def scale_temperature(stored: StoredWeights, device: str = AUTO) -> DerivedResult:
    """Return the result of a trial whose logits are divided by a fitted temperature.

    Accuracies stay; losses are those of the calibrated probabilities. `facts` hold the temperature
    and the losses before.
    """
    with open_evaluator(stored, device) as evaluator:
        weights = stored.load()
        metrics = evaluator.metrics(weights)
        temperature = fit_temperature(*evaluator.logits(weights, SELECTION))
        before = {name: value for name, value in metrics.items() if "_loss." in name}
        for name in evaluator.batches.eval_sets:
            column = f"{name}_loss.{stored.weights}.{stored.when}"
            metrics[column] = _loss(evaluator, weights, name, temperature)
    return DerivedResult(
        kind=TEMPERATURE,
        parents=(stored.parent,),
        parameters={},
        metrics=metrics,
        selected_weights=stored.weights,
        data_fingerprint=stored.recipe.data.fingerprint,
        facts={"temperature": temperature, "before": before, "when": stored.when},
    )


def _loss(
    evaluator: Evaluator, weights: dict[str, torch.Tensor], name: str, temperature: float
) -> float:
    logits, labels = evaluator.logits(weights, name)
    allowed = evaluator.batches.eval_sets[name].allowed_classes
    if allowed is not None:
        logits = logits.masked_fill(~torch.from_numpy(allowed), float("-inf"))
    return float(F.cross_entropy(logits.double() / temperature, labels))
