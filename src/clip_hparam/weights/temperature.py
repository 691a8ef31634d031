"""Temperature scaling of stored weights: fitted to the selection set, measured on all sets."""

from clip_hparam.config.knob import AUTO
from clip_hparam.records.derived import DerivedResult
from clip_hparam.weights.evaluator import open_evaluator
from clip_hparam.weights.stored import StoredWeights

TEMPERATURE = "temperature"


def scale_temperature(stored: StoredWeights, device: str = AUTO) -> DerivedResult:
    """Return the result of a trial whose logits are divided by a fitted temperature.

    Accuracies stay; all other metrics are those of the calibrated probabilities. `facts` hold the
    temperature and the values before of the metrics that it changes. Zero-shot sets, which have
    another head, stay.
    """
    with open_evaluator(stored, device) as evaluator:
        weights = stored.load()
        before = evaluator.metrics(weights)
        temperature = before[f"selection_temperature.{stored.weights}.{stored.when}"] or 1.0
        metrics = evaluator.metrics(weights, temperature)
        facts = evaluator.facts
    changed = {name: value for name, value in before.items() if metrics[name] != value}
    return DerivedResult(
        kind=TEMPERATURE,
        parents=(stored.parent,),
        parameters={},
        metrics=metrics,
        selected_weights=stored.weights,
        data_fingerprint=stored.recipe.data.fingerprint,
        facts={"temperature": temperature, "before": changed, **facts},
    )
