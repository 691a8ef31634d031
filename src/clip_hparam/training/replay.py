"""Replay of a trial that is done, to add outputs that were not requested before.

The trial is trained again in `.replay` inside its folder, with the Numerics of its record. Only if
every number is the recorded one, bit for bit, are the weights or the test metrics of each epoch
added to the record. Otherwise the record stays as it is.
"""

import io
import logging
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clip_hparam.config.options.eval_set_words import absolute_words, parse_word, set_names
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.evaluation_sets.load import PREFIX
from clip_hparam.distributed import DistributedContext
from clip_hparam.records.atomic import to_jsonable, utc_timestamp, write_atomic
from clip_hparam.records.provenance import collect_provenance
from clip_hparam.records.record import REPLAY_FOLDER, Record
from clip_hparam.records.state import TrialState
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.device.deterministic import set_deterministic
from clip_hparam.training.device.numerics import device_of
from clip_hparam.training.metrics.predictions_file import PREDICTIONS_FILE
from clip_hparam.training.outcome import TrialOutcome
from clip_hparam.training.ranks.connection import connect_ranks
from clip_hparam.training.trainer import train

logger = logging.getLogger(__name__)
MEASURED_TIMES = ("seconds", "img_per_s", "wait")  # columns that differ between two equal runs


def replay_record(record: Record) -> Record:
    """Return the record of the replay of a trial, in the folder of the trial."""
    return Record(record.folder, REPLAY_FOLDER)


def replay_trial(
    spec: TrialSpec,
    record: Record,
    result: dict[str, Any],
    callback: TrialCallback,
    context: DistributedContext,
) -> TrialOutcome:
    """Train a done trial again and add the missing outputs; called by rank 0.

    "failed" if a number differs, "queued" if the callback stopped it. The record stays "done".
    """
    if not (record.folder / "recipe.json").exists():
        return _fail_replay(f"it is packed: unzip its pack into {record.folder.parent} first")
    side = replay_record(record)
    side.write_status(TrialState.RUNNING, numerics=result.get("numerics"))
    device = device_of(spec.machine, context.local_rank)
    try:
        set_deterministic(spec.machine.deterministic, device)
        callback.on_start(spec)
        with connect_ranks(context, device, spec.machine.rank_timeout):
            outcome = train(spec, side, callback, context)
    except Exception as error:
        logger.exception("the replay failed")
        return _fail_replay(f"it failed: {type(error).__name__}: {error}")
    if outcome.result is None:
        return outcome
    differing = _compare_records(record, result, side, outcome.result)
    if differing:
        shutil.rmtree(side.folder)
        return _fail_replay(f"it gives other numbers than the record: {', '.join(differing[:3])}")
    added = _add_outputs(spec, record, result, side, outcome.result)
    shutil.rmtree(side.folder)
    logger.info("all numbers equal the recorded ones: %s added", " and ".join(added))
    return TrialOutcome(TrialState.DONE, record.verified_result())


def _fail_replay(reason: str) -> TrialOutcome:
    """Log the reason why the replay adds nothing, and return its outcome."""
    message = f"the replay adds nothing, {reason}"
    logger.error(message)
    return TrialOutcome(TrialState.FAILED, failure={"kind": "replay", "message": message})


def _compare_records(
    record: Record, result: Mapping[str, Any], side: Record, replayed_result: Mapping[str, Any]
) -> list[str]:
    """Return the names of recorded numbers that the replay does not give, with both values.

    Sets of `eval_sets` that the replay did not evaluate are left out.
    """
    left_out = result.get("eval_sets", {}).keys() - replayed_result.get("eval_sets", {}).keys()
    prefixes = tuple(f"{PREFIX}{name}." for name in left_out)
    recorded = {
        name: value for name, value in result["metrics"].items() if not name.startswith(prefixes)
    }
    replayed = to_jsonable(dict(replayed_result["metrics"]))
    differing = _compare_values(recorded, replayed, "")
    for old, new in zip(record.rows(), side.rows(), strict=True):
        kept = {name: value for name, value in old.items() if name not in MEASURED_TIMES}
        differing += _compare_values(kept, new, f"epoch {old['epoch'] + 1}: ")
    old_bits, new_bits = (_arrays(file.read("correct.npz")) for file in (record, side))
    differing += [
        f"correct.npz: {name}"
        for name in old_bits
        if name not in new_bits or not np.array_equal(old_bits[name], new_bits[name])
    ]
    return differing


def _compare_values(
    recorded: Mapping[str, Any], replayed: Mapping[str, Any], where: str
) -> list[str]:
    return [
        f"{where}{name} is {replayed.get(name)} and was {value}"
        for name, value in recorded.items()
        if replayed.get(name) != value
    ]


def _arrays(content: bytes | None) -> dict[str, Any]:
    if content is None:
        return {}
    with np.load(io.BytesIO(content)) as arrays:
        return dict(arrays)


def _add_outputs(
    spec: TrialSpec,
    record: Record,
    result: dict[str, Any],
    side: Record,
    replayed_result: Mapping[str, Any],
) -> list[str]:
    """Move the weights to the record, add the test metrics, and return what was added."""
    added = record.missing_outputs(spec.eval_test, spec.keep_checkpoints, set_names(spec.eval_sets))
    for path in side.folder.glob("*.safetensors"):
        path.replace(record.folder / path.name)
    if spec.eval_test == "epoch":
        rows = [_with_test_columns(*pair) for pair in zip(record.rows(), side.rows(), strict=True)]
        record.write_rows(rows)
    if spec.eval_test == "epoch" or spec.eval_sets:
        if spec.eval_sets:
            _add_predictions(record, side)
        new = {
            name: {**replayed_result.get(name, {}), **result.get(name, {})}
            for name in ("metrics", "eval_sets")
        }
        record.write_result({**result, **{name: facts for name, facts in new.items() if facts}})
    facts = collect_provenance()
    replayed = {"added": added, "time": utc_timestamp(), "git": facts["git"], "host": facts["host"]}
    known = {parse_word(word).name: word for word in record.status().get("eval_sets", ())}
    known |= {parse_word(word).name: word for word in absolute_words(spec.eval_sets)}
    record.write_status(TrialState.DONE, replayed=replayed, eval_sets=list(known.values()))
    return added


def _add_predictions(record: Record, side: Record) -> None:
    """Write the predictions of the replay, and keep those of sets that it did not evaluate."""
    known, new = (_arrays(source.read(PREDICTIONS_FILE)) for source in (record, side))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{**known, **new})
    write_atomic(record.folder / PREDICTIONS_FILE, buffer.getvalue())


def _with_test_columns(old: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded row with the test metrics before its last column, the seconds."""
    tested: Sequence[str] = [name for name in new if name.startswith("test_")]
    seconds = {name: old[name] for name in ("seconds",) if name in old}
    others = {name: value for name, value in old.items() if name not in seconds}
    return {**others, **{name: new[name] for name in tested}, **seconds}
