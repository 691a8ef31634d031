"""show: one page about a trial: overrides, curves, metrics, cost and command."""

import argparse
import math
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clip_hparam.cli.commands import name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.reasons import explain_trial
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.duration import format_duration
from clip_hparam.config.trial_spec import trial_words
from clip_hparam.records.manifests.lookup import find_cells
from clip_hparam.records.manifests.manifest import SweepManifest, read_manifests
from clip_hparam.records.metrics import epoch_accuracy, reported_weights
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import Record, trial_ids
from clip_hparam.sweep.display.failures import reason_text
from clip_hparam.sweep.display.sparkline import sparkline

METRICS = ("acc1", "acc5", "loss")
MAX_CLASSES_OF_TOP_1 = 5  # with so many classes or fewer, acc5 is 100 % for any model


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "trial",
        help="trial id or its start, the name of a trial as it was typed, or [sweep/]label of a"
        " cell with one trial",
    )
    add_common_arguments(parser)


def _run_show(arguments: argparse.Namespace) -> int:
    manifests = read_manifests(arguments.runs)
    facts = trial_facts(find_trial(arguments.runs, arguments.trial, manifests), manifests)
    emit(arguments, facts, trial_lines(facts, arguments.runs))
    return ExitCode.OK


def find_trial(runs: Path, name: str, manifests: Sequence[SweepManifest]) -> Record:
    """Return the record of the trial that a name means.

    Raises:
        ValueError: the name means no trial, or several.
    """
    if cells := find_cells(manifests, name):
        trials = cells[-1][1].trials
        if len(trials) > 1:
            listed = ", ".join(f"{trial} (seed {seed})" for seed, trial in trials.items())
            raise ValueError(f"{name} is a cell of {len(trials)} trials: name one of {listed}")
        return Record(runs, next(iter(trials.values())))
    named = _trials_with_label(runs, name) if "=" in name else []
    if len(named) > 1:
        raise ValueError(f"{len(named)} trials are called {name}: name one of {', '.join(named)}")
    return Record(runs, named[0]) if named else name_lookup.find_record(runs, name)


def _trials_with_label(runs: Path, label: str) -> list[str]:
    recipes = ((name, Record(runs, name).recipe() or {}) for name in trial_ids(runs))
    return [name for name, recipe in recipes if recipe.get("label") == label]


def trial_facts(record: Record, manifests: Sequence[SweepManifest]) -> dict[str, Any]:
    """Return the content of the page as a JSON object."""
    explained = explain_trial(record)
    result, rows = record.result() or {}, record.rows()
    curves = {
        "train_loss": [row.get("train_loss") for row in rows],
        "selection_acc1": [_rounded(epoch_accuracy(row)) for row in rows],
        "selection_loss": [row.get(f"selection_loss.{reported_weights(row)}") for row in rows],
        "lr": [row.get("lr") for row in rows],
    }
    return {
        "trial_id": record.trial_id,
        "name": explained["label"],
        "state": explained["state"],
        "sweeps": [
            {"sweep_id": manifest.sweep_id, "name": manifest.name, "cell": cell.label, "seed": seed}
            for manifest in manifests
            for cell in manifest.cells
            for seed, trial in cell.trials.items()
            if trial == record.trial_id
        ],
        "typed": explained["typed"],
        "curves": {name: values for name, values in curves.items() if any(values)},
        "epochs": {"done": len(rows), **result.get("epochs", {})},
        "selected_weights": result.get("selected_weights"),
        "metrics": result.get("metrics", {}),
        "classes": result.get("images", {}).get("classes"),
        "cost": result.get("cost", {}),
        "numerics": result.get("numerics") or record.status().get("numerics") or {},
        "versions": result.get("versions", {}),
        "git": result.get("git", {}),
        "failure": explained["failure"],
        "command": explained["rerun"],
        "command_in_slurm": explained["rerun_in_slurm"],
        "unknown": list(explained["unknown"]),
        "folder": str(record.folder),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def trial_lines(facts: dict[str, Any], runs: Path) -> Iterator[str]:
    """Yield the lines of the page."""
    yield f"{facts['trial_id']}  {facts['name'] or '(it has not started)'}"
    yield f"state     {facts['state']}"
    for place in facts["sweeps"]:
        yield f"sweep     {place['name']} ({place['sweep_id']}), seed {place['seed']}"
    yield from _block("typed", facts["typed"] or [_note_of_nothing_typed(facts["command"])])
    yield from _curve_lines(facts["curves"])
    yield from _metric_lines(facts)
    yield from _cost_lines(facts)
    if failure := facts["failure"]:
        why = command_line("why", facts["trial_id"], runs=runs)
        first = str(failure["message"]).partition("\n")[0]
        yield f"failure   {reason_text(failure['kind'], first)} ({why} shows its log)"
    if facts["command_in_slurm"]:
        yield f"in Slurm  {facts['command_in_slurm']}"
    if facts["command"]:
        yield f"{'here' if facts['command_in_slurm'] else 'again':<10}{facts['command']}"
    yield from (f"not known: {sentence}" for sentence in facts["unknown"])
    yield f"folder    {facts['folder']}"


def _note_of_nothing_typed(command: str | None) -> str:
    """Return a note on a trial without overrides; old records do not contain them."""
    words = [word for word in shlex.split(command or "") if "=" in word]
    if trial_words(words):
        return "not on record: the command below sets what differs from the default recipe"
    return "nothing: all knobs have the values of the default recipe"


def _block(title: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{'' if number else title:<10}{line}"


def _curve_lines(curves: dict[str, list[float | None]]) -> Iterator[str]:
    """Yield a line per curve: its sparkline, and its first and last value."""
    width = max(map(len, curves), default=0)
    lines = []
    for name, values in curves.items():
        known = [value for value in values if value is not None]
        if known:
            ends = f"{known[0]:.4g} \N{RIGHTWARDS ARROW} {known[-1]:.4g}"
            lines.append(f"{name:<{width}}  {sparkline(values)}  {ends}")
    yield from _block("curves", lines)


def _metric_lines(facts: dict[str, Any]) -> Iterator[str]:
    """Yield the reported metrics of both sets, and the epoch that they are of."""
    weights, metrics = facts["selected_weights"], facts["metrics"]
    few = (facts["classes"] or math.inf) <= MAX_CLASSES_OF_TOP_1
    measures = [measure for measure in METRICS if not (few and measure == "acc5")]
    lines = []
    for split in ("selection", "test"):
        values = [
            f"{measure} {value:.4g}" + (" %" if measure != "loss" else "")
            for measure in measures
            if (value := metrics.get(f"{split}_{measure}.{weights}.selected")) is not None
        ]
        if values:
            lines.append(f"{split:<10}{', '.join(values)}")
    if lines:
        chosen = facts["epochs"].get("selected")
        which = "" if chosen is None else f"epoch {chosen + 1} of {facts['epochs']['done']}, "
        lines.append(f"of {which}{weights} weights, selected on the selection set")
    yield from _block("metrics", lines)


def _cost_lines(facts: dict[str, Any]) -> Iterator[str]:
    cost = facts["cost"]
    if not cost:
        return
    parts = [format_duration(cost["seconds"])] if "seconds" in cost else []
    parts += [f"{cost['gpu_hours']:.3g} GPU-hours"] if cost.get("gpu_hours") else []
    parts += [f"{cost['img_per_s']:.0f} images/s"] if cost.get("img_per_s") else []
    parts += [f"{cost['peak_memory_mb']:.0f} MiB"] if cost.get("peak_memory_mb") else []
    device = facts["numerics"].get("device")
    yield from _block("cost", [", ".join(parts) + (f", on {device}" if device else "")])


COMMANDS = (
    Command(
        "show",
        "show one page about a trial: curves, metrics, cost, command",
        _add_arguments,
        _run_show,
    ),
)
