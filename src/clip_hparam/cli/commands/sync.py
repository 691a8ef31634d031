"""sync: send the records of existing trials to a tracker."""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.name_lookup import find_named_sweep, find_trials
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.count import counted, was_were
from clip_hparam.records.record import Record, trial_ids
from clip_hparam.training.callbacks.trackers.callback import describe_error
from clip_hparam.training.callbacks.trackers.registry import tracker_class
from clip_hparam.training.callbacks.trackers.sender import RunSender

MLFLOW_RETRIES = "2"
"""Repetitions of a request: with the 7 of MLflow, a dead server takes minutes without a line."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tracker", help="tensorboard, wandb, mlflow, or the name of a plugin")
    what = "a sweep, [sweep/]label of a cell, or a trial (all trials on record)"
    parser.add_argument("name", nargs="?", help=what)
    parser.add_argument("--again", action="store_true", help="send also what was sent before")
    add_common_arguments(parser)


def _run(arguments: argparse.Namespace) -> int:
    tracker_class(arguments.tracker)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", MLFLOW_RETRIES)
    records = _records(arguments.runs, arguments.name)
    sent: Counter[bool] = Counter()
    destination = ""
    for record in records:
        try:
            sender = RunSender(arguments.tracker, record, arguments.again)
            destination = sender.destination
            sent[_send(sender, record)] += 1
        except (Exception, SystemExit) as error:  # a tracker may raise anything
            print(
                f"{arguments.tracker}: {describe_error(error)}; {sent[True]} of"
                f" {counted(len(records), 'trial')} sent; run the same command again to send"
                " the rest",
                file=sys.stderr,
            )
            return ExitCode.STORAGE
    facts = {"sent": sent[True], "unchanged": sent[False], "destination": destination}
    there = f"{sent[False]} {was_were(sent[False])} there already"
    line = f"{counted(sent[True], 'trial')} sent, {there}: {destination}"
    emit(arguments, facts, [line if records else f"no trial is on record in {arguments.runs}"])
    return ExitCode.OK


def _send(sender: RunSender, record: Record) -> bool:
    """Send the unsent metrics of a trial; return whether there were any."""
    rows = sender.send_rows(record.rows())
    state = str(record.status().get("state", "queued"))
    return sender.close(state, record.result()) or rows > 0


def _records(runs: Path, name: str | None) -> list[Record]:
    """Return the records of a sweep, a cell or a trial that have a recipe, or of all trials.

    Raises: ValueError if nothing has that name.
    """
    if name is None:
        found = [Record(runs, trial) for trial in trial_ids(runs)]
    elif sweep := find_named_sweep(runs, name):
        found = [Record(runs, trial) for trial in sweep.trial_ids]
    else:
        found = find_trials(runs, name)
    return [record for record in found if record.recipe() is not None]


COMMANDS = (Command("sync", "send records to TensorBoard, wandb or MLflow", _add_arguments, _run),)
