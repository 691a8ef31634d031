"""Evaluate the pretrained model on the zero-shot sets before the first step."""

from clip_hparam.data.batches import Batches
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.engine import until_stopped
from clip_hparam.training.evaluation import evaluate
from clip_hparam.training.factory import create_model
from clip_hparam.training.final.set_models import zero_shot_classifier
from clip_hparam.training.train_state import TrainState


def evaluate_pretrained(
    state: TrainState, batches: Batches, callback: TrialCallback
) -> dict[str, float]:
    """Return the column `eval.<name>.acc1.zero_shot` of each zero-shot set, in percent.

    It is the accuracy before the first step; after training it is in the columns of the set.
    """
    sets = {name: images for name, images in batches.eval_sets.items() if images.zero_shot}
    if not sets:
        return {}
    initial = create_model(batches.recipe, batches.classes, state.device).to(state.device)
    columns: dict[str, float] = {}
    for name, eval_set in sets.items():
        model = zero_shot_classifier(initial, batches.recipe, eval_set.class_names, state.device)
        read = until_stopped(batches.evaluation(name), callback)
        columns[f"{name}.acc1.zero_shot"] = evaluate(model, read, state).acc1
    return columns
