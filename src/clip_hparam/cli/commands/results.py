"""gather, compare, export-recipe, fidelity: results of trials, by way of the analysis."""

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.name_lookup import print_ambiguity
from clip_hparam.cli.conf_folder import CONF
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.knob import format_value
from clip_hparam.config.text.count import counted, is_are
from clip_hparam.config.text.numbers import format_number
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.paths import command_line
from clip_hparam.records.state import TrialState

if TYPE_CHECKING:
    import pandas as pd

    from clip_hparam.analysis.evidence.compare import Comparison
    from clip_hparam.analysis.frames.trial_table import TrialTable


def _add_gather_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder (results)")
    parser.add_argument("--strict", action="store_true", help="exit 4 if a planned run is missing")
    add_common_arguments(parser)


def _run_gather(arguments: argparse.Namespace) -> int:
    from clip_hparam.analysis import load  # lazy: pandas, 0.4 s
    from clip_hparam.analysis.frames.schema import FRAME_VERSION, schema_violations

    frames = load(arguments.runs)
    problems = [*frames.problems, *schema_violations(frames)]
    files = _write_frame(frames.trials, FRAME_VERSION, arguments.out / "trials")
    files += _write_frame(frames.epochs, FRAME_VERSION, arguments.out / "epochs")
    done = set(frames.trials.loc[frames.trials["status"] == TrialState.DONE, "trial_id"])
    planned = {trial for sweep in frames.sweeps for trial in sweep.trial_ids}
    pruned = set(frames.trials.loc[frames.trials["status"] == TrialState.PRUNED, "trial_id"])
    missing = sorted(planned - done - pruned)
    facts = {
        "files": [str(path) for path in files],
        "trials": len(frames.trials),
        "done": len(done),
        "missing": missing,
        "problems": problems,
    }
    for problem in problems:
        print(f"not used: {problem}", file=sys.stderr)
    lacking = f", {len(missing)} more planned" if missing else ""
    trials = counted(len(frames.trials), "trial")
    summary = f"{len(done)} of {trials} on record {is_are(len(done))} done{lacking}"
    emit(arguments, facts, [*map(str, files), summary])
    return ExitCode.INCOMPLETE if arguments.strict and (missing or problems) else ExitCode.OK


def _write_frame(frame: "pd.DataFrame", version: int, path: Path) -> list[Path]:
    """Write a frame as Parquet, with its version in the metadata, and as CSV; return the paths."""
    frame = frame.copy()
    frame.attrs["schema"] = version
    mixed = [name for name, kind in frame.dtypes.items() if kind == "object"]
    for name in mixed:  # a Parquet column has one type
        frame[name] = frame[name].map(str, na_action="ignore").astype("string")
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    write_atomic(path.with_suffix(".parquet"), buffer.getvalue())
    write_atomic(path.with_suffix(".csv"), frame.to_csv(index=False).encode())
    return [path.with_suffix(".parquet"), path.with_suffix(".csv")]


def _add_compare_arguments(parser: argparse.ArgumentParser) -> None:
    what = "a trial id (its cell: the same recipe with any seed), or [sweep/]label of a cell"
    parser.add_argument("before", help=what)
    parser.add_argument("after", help="the same")
    metrics = "test_acc1 (default), selection_loss, ...; of an import a column, its objective"
    parser.add_argument("--metric", help=metrics)
    add_common_arguments(parser)


def _run_compare(arguments: argparse.Namespace) -> int:
    from clip_hparam.analysis import load  # lazy: pandas, 0.4 s
    from clip_hparam.analysis.evidence.compare import compare_cells, default_metric

    frames = load(arguments.runs)
    arguments.metric = arguments.metric or default_metric(frames)
    print_ambiguity(frames.sweeps, arguments.before, arguments.after)
    comparison = compare_cells(frames, arguments.before, arguments.after, arguments.metric)
    emit(arguments, comparison.to_dict(), _compare_lines(arguments, comparison, frames.imported))
    return ExitCode.OK


def _compare_lines(
    arguments: argparse.Namespace, comparison: "Comparison", imported: "TrialTable | None"
) -> Iterator[str]:
    for knob, values in comparison.differs.items():
        yield f"{knob}: {format_value(values[0])} -> {format_value(values[1])}"
    if not comparison.differs:
        yield f"the {'recipes' if imported is None else 'knobs'} are the same"
    for name, side in ((arguments.before, comparison.before), (arguments.after, comparison.after)):
        mean = f"{side.mean:.{comparison.digits}f}" if side.done else "unknown"
        seeds = counted(side.asked, "seed")
        yield f"{name}: {arguments.metric} {mean}, {side.done} of {seeds} done"
    delta, spec = comparison.difference, f"+.{comparison.digits}f"
    if not delta.n:
        unpaired = imported is not None and not imported.seed
        advice = ": to pair rows, import with --seed COLUMN" if unpaired else ""
        yield f"no difference, {delta.why}{advice}"
        return
    mean, low, high = (format_number(value, spec) for value in (delta.mean, delta.low, delta.high))
    interval = f"95 % interval {low} to {high}, p = {delta.p:.2g}"
    yield f"difference {mean} over {counted(delta.n, 'seed')} in common; {delta.why or interval}"


def _add_export_arguments(parser: argparse.ArgumentParser) -> None:
    what = "a sweep (its best cell on the selection set), [sweep/]label of a cell, or a trial"
    parser.add_argument("name", help=what)
    parser.add_argument("--out", type=Path, metavar="FILE", help="conf/recipe/NAME.yaml (stdout)")
    add_common_arguments(parser)


def _place(file: Path) -> tuple[str, str]:
    """Return the folder for --config-dir that a recipe file lies in, and the name of the recipe.

    The folder is "" for `conf`, which is read without, and FOLDER for a file in no folder `recipe`.
    """
    for folder in file.parents:
        if folder.name == "recipe":
            known = folder.parent.resolve() in (CONF.resolve(), Path("conf").resolve())
            name = file.relative_to(folder).with_suffix("").as_posix()
            return "" if known else str(folder.parent), name
    return "FOLDER", file.stem


def _run_export(arguments: argparse.Namespace) -> int:
    from clip_hparam.analysis import load  # lazy: pandas, 0.4 s
    from clip_hparam.analysis.evidence.lookup import find_cell
    from clip_hparam.analysis.evidence.studies.proof import race_sentence
    from clip_hparam.analysis.tables.recipe_file import recipe_text

    if arguments.out and arguments.out.exists():
        raise ValueError(f"{arguments.out} is there already: name another file, or remove it")
    frames = load(arguments.runs)
    print_ambiguity(frames.sweeps, arguments.name)
    selected = find_cell(frames, arguments.name)
    if selected.trials.empty:
        retry = command_line("retry", selected.sweep.sweep_id, "--run", runs=arguments.runs)
        raise ValueError(f"no trial of {selected.cell.label} is done: {retry} runs them")
    config_dir, name = _place(arguments.out) if arguments.out else ("", selected.sweep.name)
    verdict = race_sentence(frames, selected.sweep, selected.cell.label)
    text = recipe_text(selected, name, verdict, config_dir)
    if arguments.out:
        write_atomic(arguments.out, text.encode())
    facts = {
        "sweep": selected.sweep.sweep_id,
        "cell": selected.cell.label,
        "overrides": list(selected.cell.overrides),
        "trials": list(selected.trials["trial_id"]),
        "file": str(arguments.out) if arguments.out else None,
        "text": text,
    }
    lines = [str(arguments.out) if arguments.out else text.rstrip()]
    if config_dir == "FOLDER":
        lines.append(
            f"to run it, put it into FOLDER/recipe and type --config-dir FOLDER recipe={name}"
        )
    emit(arguments, facts, lines)
    return ExitCode.OK


def _run_fidelity(arguments: argparse.Namespace) -> int:
    from clip_hparam.analysis import load  # lazy: pandas, 0.4 s
    from clip_hparam.analysis.evidence.searches.fidelity import fidelity_proxies, format_proxies

    proxies = fidelity_proxies(load(arguments.runs))
    emit(arguments, [proxy._asdict() for proxy in proxies], format_proxies(proxies))
    return ExitCode.OK


COMMANDS = (
    Command("gather", "write all records as Parquet and CSV", _add_gather_arguments, _run_gather),
    Command(
        "compare",
        "compare the recipes and the results of two cells",
        _add_compare_arguments,
        _run_compare,
    ),
    Command(
        "export-recipe",
        "write a cell as a recipe file that can be committed",
        _add_export_arguments,
        _run_export,
    ),
    Command(
        "fidelity",
        "show how well early epochs and cheap runs rank full ones",
        add_common_arguments,
        _run_fidelity,
    ),
)
