"""Resume a trial from its newest checkpoint."""

import logging

from clip_hparam.config.text.count import counted
from clip_hparam.data.batches import Batches
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.checkpoints.content import restore_checkpoint
from clip_hparam.training.checkpoints.progress import Progress
from clip_hparam.training.ranks.agreement import check_equal_weights
from clip_hparam.training.train_state import TrainState

logger = logging.getLogger(__name__)


def resume(state: TrainState, record: Record) -> Progress:
    """Load the newest checkpoint, if there is one, and return the progress so far.

    Raises: RuntimeError if the ranks loaded different checkpoints.
    """
    saved, damaged = checkpoint.load(record.checkpoint_folder)
    for sentence in damaged:
        logger.warning(sentence)
    moment = "after the resume" if saved else "at the start"
    progress = restore_checkpoint(state, saved) if saved else Progress()
    positions = state.context.all_gather([(len(progress.rows), len(progress.losses))])
    if len(set(positions)) > 1:
        raise RuntimeError(
            f"the ranks resume from different (epoch, step) {positions}: {record.folder} must be"
            " the same folder for all of them"
        )
    check_equal_weights(state.context, state.eval_models.values(), moment)
    if saved is not None:
        epoch, steps = len(progress.rows), len(progress.losses)
        of_epoch = f" and {counted(steps, 'step')}" if steps else ""
        whole = f"after epoch {epoch}{of_epoch}" if epoch else f"after step {steps} of epoch 1"
        logger.info("resuming %s", whole)
    return progress


def record_position(record: Record, batches: Batches, progress: Progress) -> None:
    """Record the position from which this attempt resumes.

    Rows of epochs that an earlier attempt did and did not save are removed; rows of a file that was
    set aside are written again.
    """
    if len(record.rows()) != len(progress.rows):
        record.write_rows(progress.rows)
    step = len(progress.rows) * batches.steps + len(progress.losses)
    if step or "step" in record.status():
        record.write_status(TrialState.RUNNING, step=step)
