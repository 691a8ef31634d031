"""wise-ft, soup, temperature: results of stored weights, each written to runs/.derived."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.stored.names import are_trials, named_records
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.records.derived import DerivedResult, write_derived

RULES = ("uniform", "greedy")


def _add_names(parser: argparse.ArgumentParser) -> None:
    what = "trial ids, [sweep/]labels of cells, or sweeps; they have kept their weights"
    parser.add_argument("names", nargs="+", metavar="NAME", help=what)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (auto)")
    add_common_arguments(parser)


def _add_wise_ft_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--alphas", help="shares of the trained weights, as 0,0.5,1 (0, 0.1, ... 1)"
    )
    _add_names(parser)


def _run_wise_ft(arguments: argparse.Namespace) -> int:
    from clip_hparam.weights.stored import read_stored  # lazy: torch, 3 s
    from clip_hparam.weights.wise_ft import ALPHAS, validate_alphas, wise_ft_curve

    alphas = ALPHAS if arguments.alphas is None else _parse_alphas(arguments.alphas)
    validate_alphas(alphas)
    stored = [read_stored(record) for record in named_records(arguments.runs, arguments.names)]
    curves = (wise_ft_curve(weights, alphas, arguments.device) for weights in stored)
    return _write(arguments, (result for curve in curves for result in curve))


def _parse_alphas(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--alphas {text} is not a list of numbers: try --alphas 0,0.5,1"
        ) from None


def _add_soup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rule", choices=RULES, help="only this one (both)")
    _add_names(parser)


def _run_soup(arguments: argparse.Namespace) -> int:
    from clip_hparam.weights.shared_start import (  # lazy: torch, 3 s
        group_by_start,
        lone_trials_note,
    )
    from clip_hparam.weights.soup import make_soups
    from clip_hparam.weights.stored import read_stored

    rules = [arguments.rule] if arguments.rule else list(RULES)
    members = [read_stored(record) for record in named_records(arguments.runs, arguments.names)]
    one_soup = are_trials(arguments.runs, arguments.names)
    groups = [members] if one_soup else group_by_start(members)
    if note := lone_trials_note(groups):
        print(note, file=sys.stderr)
    soups = (soup for group in groups for soup in make_soups(group, rules, arguments.device))
    return _write(arguments, soups)


def _run_temperature(arguments: argparse.Namespace) -> int:
    from clip_hparam.weights.stored import read_stored  # lazy: torch, 3 s
    from clip_hparam.weights.temperature import scale_temperature

    stored = [read_stored(record) for record in named_records(arguments.runs, arguments.names)]
    return _write(arguments, (scale_temperature(weights, arguments.device) for weights in stored))


def _write(arguments: argparse.Namespace, results: Iterable[DerivedResult]) -> int:
    """Write each result as soon as it is computed, and print all."""
    written = [(result, write_derived(arguments.runs, result)) for result in results]
    trees = [
        {"file": str(path), "derived_id": result.derived_id, **asdict(result)}
        for result, path in written
    ]
    emit(arguments, trees, _lines(written))
    return ExitCode.OK


def _lines(written: Sequence[tuple[DerivedResult, Path]]) -> Iterator[str]:
    for result, path in written:
        metrics = {
            name.partition(".")[0]: value
            for name, value in result.metrics.items()
            if f".{result.selected_weights}." in name and value is not None
        }
        shown = ", ".join(
            f"{name} {metrics[name]:.{digits}f}"
            for name, digits in (("test_acc1", 2), ("selection_acc1", 2), ("test_loss", 4))
            if name in metrics
        )
        yield f"{result.kind} {_describe(result)}: {shown}  {path}"


def _describe(result: DerivedResult) -> str:
    """Return the trials, the parameters and the choice made on the selection set."""
    shown: dict[str, Any] = dict(result.parameters)
    if "temperature" in result.facts:
        shown["temperature"] = round(result.facts["temperature"], 3)
    trials = result.trial_ids
    of = trials[0] if len(trials) == 1 else f"{len(trials)} trials"
    chosen = " (selected)" if result.facts.get("selected") else ""
    return " ".join([of, *(f"{name}={value}" for name, value in shown.items())]) + chosen


COMMANDS = (
    Command(
        "wise-ft",
        "evaluate weights between the start and the end of fine-tuning",
        _add_wise_ft_arguments,
        _run_wise_ft,
    ),
    Command(
        "soup",
        "average the weights of trials that share their first weights",
        _add_soup_arguments,
        _run_soup,
    ),
    Command(
        "temperature",
        "calibrate trials by a temperature fitted to the selection set",
        _add_names,
        _run_temperature,
    ),
)
