"""export, predict, evaluate: the weights of a trial, or of another model, in use."""

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import Any

from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.name_lookup import print_ambiguity
from clip_hparam.cli.commands.stored.evaluated_data import evaluated_data
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.count import counted
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.derived import write_derived
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.record import Record

WEIGHTS = "a trial, an exported folder, open_clip:NAME:PRETRAINED, timm:NAME or timm:NAME:FILE"


def _add_export_arguments(parser: argparse.ArgumentParser) -> None:
    what = "a trial, or a cell or sweep: its best seed on the selection set"
    parser.add_argument("name", help=what)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    add_common_arguments(parser)


def _run_export(arguments: argparse.Namespace) -> int:
    from clip_hparam.analysis.evidence.cells.exported_trial import (
        choose_trial,  # lazy: pandas, 0.4 s
    )

    print_ambiguity(read_manifests(arguments.runs), arguments.name)
    chosen = choose_trial(arguments.runs, arguments.name)
    from clip_hparam.weights.models.export import export_trial  # lazy: torch, 2 s

    files = export_trial(Record(arguments.runs, chosen.trial_id), arguments.to, chosen.evidence)
    facts = {
        "trial_id": chosen.trial_id,
        "evidence": list(chosen.evidence),
        "files": list(map(str, files)),
    }
    emit(arguments, facts, [*chosen.evidence, *map(str, files)])
    return ExitCode.OK


def _add_predict_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", help=f"{WEIGHTS} (open_clip: with evaluate only)")
    parser.add_argument("folder", type=Path, help="images, also in subfolders")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a CSV file (stdout)")
    parser.add_argument("--top", type=int, metavar="N", help="only the N most probable classes")
    _add_device(parser)
    add_common_arguments(parser)


def _run_predict(arguments: argparse.Namespace) -> int:
    if arguments.top is not None and arguments.top < 1:
        raise ValueError(f"--top {arguments.top} is not a number of classes: try --top 5")
    from clip_hparam.weights.models.predict import predict_folder  # lazy: torch, 2 s
    from clip_hparam.weights.models.sources import load_model

    model = load_model(arguments.weights, arguments.runs)
    predictions = predict_folder(model, arguments.folder, arguments.device)
    for sentence in predictions.unreadable:
        print(f"left out: {sentence}", file=sys.stderr)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(predictions.rows(arguments.top))
    facts: dict[str, Any] = {
        "images": len(predictions.files),
        "unreadable": len(predictions.unreadable),
        "file": str(arguments.out) if arguments.out else None,
    }
    if arguments.out:
        write_atomic(arguments.out, text.getvalue().encode())
        emit(arguments, facts, [f"{counted(len(predictions.files), 'image')}: {arguments.out}"])
    else:
        emit(arguments, {**facts, "csv": text.getvalue()}, [text.getvalue().rstrip()])
    return ExitCode.OK


def _add_evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", nargs="+", metavar="WEIGHTS|data.KEY=VALUE", help=WEIGHTS)
    _add_device(parser)
    add_common_arguments(parser)


def _run_evaluate(arguments: argparse.Namespace) -> int:
    typed = [word for word in arguments.weights if _is_override(word)]
    named = [word for word in arguments.weights if word not in typed]
    if not named:
        raise ValueError(f"no weights are named: name {WEIGHTS}")
    data = evaluated_data(typed, named, arguments.runs)
    from clip_hparam.weights.models.evaluate import evaluate_model  # lazy: torch, 2 s
    from clip_hparam.weights.models.sources import load_model

    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    for text in named:
        result = evaluate_model(load_model(text, arguments.runs, data), data, arguments.device)
        path = write_derived(arguments.runs, result)
        when = result.facts["when"]
        key = f"test_acc1.{result.selected_weights}.{when}"
        rows.append({"weights": text, "file": str(path), "metrics": dict(result.metrics)})
        lines.append(f"{text}: test acc1 {result.metrics[key]:.2f} % of data={data.name}, {path}")
    emit(arguments, rows, lines)
    return ExitCode.OK


def _is_override(word: str) -> bool:
    key = word.partition("=")[0]
    return "=" in word and (key == "data" or key.startswith("data."))


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="cpu, cuda or cuda:N (auto)")


COMMANDS = (
    Command(
        "export",
        "write the model of a trial for timm, open_clip and predict",
        _add_export_arguments,
        _run_export,
    ),
    Command("predict", "predict the classes of images", _add_predict_arguments, _run_predict),
    Command(
        "evaluate",
        "score any weights on a data set, as rows of the tables",
        _add_evaluate_arguments,
        _run_evaluate,
    ),
)
