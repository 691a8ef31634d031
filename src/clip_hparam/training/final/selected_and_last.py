"""Evaluate the weights of the selected and of the last epoch on all sets of a trial."""

from clip_hparam.data.batches import Batches
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback
from clip_hparam.training.checkpoints.progress import Progress, copy_to_host
from clip_hparam.training.engine import StoppedError
from clip_hparam.training.evaluation import EvalResult
from clip_hparam.training.final.all_sets import evaluate_sets
from clip_hparam.training.train_state import TrainState

EvalResults = dict[tuple[str, str, str], EvalResult]
"""By evaluation set, weights ("raw", "ema") and epoch ("selected", "last")."""


def evaluate_selected_and_last(
    state: TrainState, batches: Batches, progress: Progress, callback: TrialCallback = NO_CALLBACK
) -> EvalResults:
    """Evaluate the weights of the selected and of the last epoch on all sets of the data set.

    The models hold the selected weights afterwards.

    Raises: StoppedError if the callback stops the trial; the models then hold the last weights.
    """
    last = copy_to_host(state.flat_weights) if state.context.is_main else {}
    try:
        return _evaluate_both(state, batches, progress, callback)
    except StoppedError:
        for name, flat in state.flat_weights.items():
            flat.copy_(last[name])
        raise


def _evaluate_both(
    state: TrainState, batches: Batches, progress: Progress, callback: TrialCallback
) -> EvalResults:
    models = state.eval_models
    last = evaluate_sets(state.eval_models, batches, state, callback)
    selected = last
    if progress.selected != progress.rows[-1]["epoch"]:
        load_selected(state, progress)
        selected = evaluate_sets(state.eval_models, batches, state, callback)
    return {
        (split, name, when): scores[name]
        for when, sets in (("last", last), ("selected", selected))
        for name in models
        for split, scores in sets.items()
    }


def load_selected(state: TrainState, progress: Progress) -> None:
    """Give all models the weights of the selected epoch, which rank 0 has."""
    for name, flat in state.flat_weights.items():
        if state.context.is_main:
            flat.copy_(progress.selected_weights[name])
        state.context.broadcast(flat)
