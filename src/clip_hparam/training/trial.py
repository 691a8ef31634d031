"""One attempt at a trial: lock its folder, train, and write result.json or failure.json."""

import logging
import math
import os
import traceback
from collections.abc import Iterable
from functools import partial
from typing import Any

from clip_hparam.config.identity import canonical
from clip_hparam.config.options.eval_set_words import absolute_words, set_names
from clip_hparam.config.steps import steps_per_epoch
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.loading.lost_worker import LostWorkerError, name_lost_worker
from clip_hparam.data.loading.shared_buffer import SharedMemoryError
from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext, PeerError
from clip_hparam.records.atomic import utc_timestamp
from clip_hparam.records.credentials import without_password
from clip_hparam.records.lock import lock_folder
from clip_hparam.records.provenance import collect_provenance, slurm_job_id
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.records.storage_errors import is_storage_error
from clip_hparam.training.callbacks.base import NO_CALLBACK, CallbackList, TrialCallback
from clip_hparam.training.callbacks.standard import create_standard_callbacks
from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.device.deterministic import set_deterministic
from clip_hparam.training.device.numerics import UnsupportedMachineError, device_of
from clip_hparam.training.engine import DivergedError
from clip_hparam.training.memory.micro_batch import DeviceMemoryError
from clip_hparam.training.outcome import TrialOutcome
from clip_hparam.training.ranks.connection import connect_ranks
from clip_hparam.training.ranks.lost_ranks import LostRankError
from clip_hparam.training.replay import replay_record, replay_trial
from clip_hparam.training.trainer import train

logger = logging.getLogger(__name__)


def run_trial(
    spec: TrialSpec,
    callbacks: Iterable[TrialCallback] = (),
    context: DistributedContext = SINGLE_PROCESS,
) -> TrialOutcome:
    """Run a trial to its end, or until a callback stops or prunes it, and return how it ended.

    A trial that is done already is not run again, but with `spec.replay` trained again for outputs
    that it lacks. A stopped trial ("queued") is resumed by the
    next call. An error of the trial is recorded in failure.json and not raised.

    Every rank of a trial calls this function. Rank 0 writes the record and calls the callbacks;
    the other ranks raise their own errors and return "lost" if another rank failed.

    Raises: FolderLockedError if another process runs the trial; KeyboardInterrupt, with a sentence,
    after the trial was recorded as cancelled.
    """
    record = Record(spec.machine.runs, spec.trial_id)
    if not context.is_main:
        return _run_other_rank(spec, record, context)
    with lock_folder(record.folder):
        result = record.verified_result()
        if result is not None:
            return _answer(spec, record, result, callbacks, context)
        for name in record.corrupted_files():
            quarantined = record.quarantine(name)
            logger.warning("%s is damaged: set aside as %s", name, quarantined.name)
        standard = create_standard_callbacks(record, spec.tracker)
        callback = CallbackList([*standard, *callbacks])
        outcome = _run_attempt(spec, record, callback, context)
        callback.on_end(outcome.state, outcome.result)
        return outcome


def _answer(
    spec: TrialSpec,
    record: Record,
    result: dict[str, Any],
    callbacks: Iterable[TrialCallback],
    context: DistributedContext,
) -> TrialOutcome:
    """Return the result of a done trial, after a replay if requested outputs are missing."""
    if not is_replay(spec, record):
        return TrialOutcome(TrialState.DONE, result)
    callback = CallbackList([*create_standard_callbacks(replay_record(record)), *callbacks])
    outcome = replay_trial(spec, record, result, callback, context)
    callback.on_end(outcome.state, outcome.result)
    return outcome


def is_replay(spec: TrialSpec, record: Record) -> bool:
    """Return whether the trial is done and is trained again to add missing outputs."""
    missing = spec.replay and record.missing_outputs(
        spec.eval_test, spec.keep_checkpoints, set_names(spec.eval_sets)
    )
    return bool(missing) and record.result() is not None


def _run_attempt(
    spec: TrialSpec, record: Record, callback: TrialCallback, context: DistributedContext
) -> TrialOutcome:
    """Train a trial and record how the attempt ended."""
    attempt = record.status().get("attempt", 0) + 1
    facts = {**collect_provenance(), "started": utc_timestamp(), "attempt": attempt}
    try:
        outcome = _train_and_seal(spec, record, callback, context, facts)
    except KeyboardInterrupt:
        sentence = f"interrupted: {_resume_position(spec, record)}"
        record.write_failure(TrialState.CANCELLED, "cancelled", sentence)
        callback.on_end(TrialState.CANCELLED, None)
        raise KeyboardInterrupt(sentence) from None
    except (DivergedError, LostRankError) as error:
        state = TrialState.DIVERGED if isinstance(error, DivergedError) else TrialState.LOST
        logger.error(str(error))
        return _record_failure(record, state, {"kind": state, "message": str(error)})
    except (
        UnreadableImageError,
        UnsupportedMachineError,
        DeviceMemoryError,
        SharedMemoryError,
        LostWorkerError,
    ) as error:
        logger.error(str(error))
        return _record_failure(record, TrialState.FAILED, {"kind": "error", "message": str(error)})
    except Exception as error:
        failure = {
            "kind": "storage" if is_storage_error(error) else "error",
            "message": f"{type(error).__name__}: {error}",
            "traceback": traceback.format_exc(),
        }
        logger.error(failure["traceback"])
        return _record_failure(record, TrialState.FAILED, failure)
    if outcome.state in (TrialState.DONE, TrialState.PRUNED):
        checkpoint.clear(record.checkpoint_folder)
    return outcome


def _train_and_seal(
    spec: TrialSpec,
    record: Record,
    callback: TrialCallback,
    context: DistributedContext,
    facts: dict[str, Any],
) -> TrialOutcome:
    record.write_recipe(canonical(spec.recipe), spec.label)
    process = {"host": facts["host"], "pid": os.getpid(), "job": slurm_job_id()}
    given: dict[str, Any] = {
        "overrides": list(map(without_password, spec.overrides)),
        "places": spec.places,
        "eval_sets": absolute_words(spec.eval_sets),
    }
    record.write_status(TrialState.RUNNING, **process, attempt=facts["attempt"], **given)
    callback.on_start(spec)
    device = device_of(spec.machine, context.local_rank)
    set_deterministic(spec.machine.deterministic, device)
    record_lost = partial(record.write_failure, TrialState.LOST, "lost")
    with (
        connect_ranks(context, device, spec.machine.rank_timeout, record_lost),
        name_lost_worker(),
    ):
        outcome = train(spec, record, callback, context)
    if outcome.result is not None:
        result = {**outcome.result, **facts, "finished": utc_timestamp()}
        record.write_result(result)
        return outcome._replace(result=result)
    if outcome.state is TrialState.QUEUED and callback.is_interrupted():
        raise KeyboardInterrupt
    record.write_status(outcome.state)
    if outcome.state is TrialState.PRUNED:
        logger.info("pruned after epoch %d/%d", len(record.rows()), spec.recipe.epochs)
    else:
        logger.info("stopped: %s", _resume_position(spec, record))
    return outcome


def _resume_position(spec: TrialSpec, record: Record) -> str:
    """Return the last step that is saved, and its epoch, both counted from 1."""
    saved = checkpoint.saved_step(record.checkpoint_folder)
    if saved is None:
        return "no state was saved; run the same command again to start it from the beginning"
    steps = steps_per_epoch(spec.recipe)
    epochs = spec.recipe.epochs
    epoch = max(math.ceil(saved / steps), 1)
    return (
        f"the state is saved after step {saved} of {steps * epochs}, in epoch {epoch} of {epochs};"
        " run the same command again to continue from there"
    )


def _record_failure(record: Record, state: TrialState, failure: dict[str, Any]) -> TrialOutcome:
    record.write_failure(state, **failure)
    return TrialOutcome(state, failure=failure)


def _run_other_rank(spec: TrialSpec, record: Record, context: DistributedContext) -> TrialOutcome:
    """Train as a rank other than 0, once rank 0 has started."""
    try:
        context.wait_for_main()
        record = replay_record(record) if is_replay(spec, record) else record
        device = device_of(spec.machine, context.local_rank)
        set_deterministic(spec.machine.deterministic, device)
        with connect_ranks(context, device, spec.machine.rank_timeout), name_lost_worker():
            train(spec, record, NO_CALLBACK, context)
    except PeerError:
        return TrialOutcome(TrialState.LOST)
    return TrialOutcome(TrialState.DONE)
