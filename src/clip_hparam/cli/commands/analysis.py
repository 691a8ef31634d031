"""`python -m analysis`: write tables, figures and the report; import and summarise results.

Exit codes: 0; 2 wrong use; 3 storage; 4 with --strict if a planned run has no number yet. Paths of
written files go to stdout, warnings and errors go to stderr, one sentence each.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from clip_hparam.analysis.evidence.evidence import NotSweptError, ablation_of, count_missing_runs
from clip_hparam.analysis.frames.frame import Frames, load
from clip_hparam.analysis.frames.importing.cells import MAX_CELLS
from clip_hparam.analysis.frames.manifests import output_names
from clip_hparam.analysis.report import build
from clip_hparam.analysis.report.build import OutputKind
from clip_hparam.analysis.report.trial_pages import MAX_PAGES
from clip_hparam.cli.commands.analysis_inputs import (
    add_import_arguments,
    add_summary_arguments,
    import_table,
    print_summary,
)
from clip_hparam.cli.commands.command import CommandParser, UsageError, validate_runs
from clip_hparam.cli.commands.output_choice import (
    choose_outputs,
    divide_names,
    family_parts,
    print_shared_names,
    superseded_names,
    validate_planned,
)
from clip_hparam.cli.commands.queries import no_sweep_message
from clip_hparam.cli.output import with_guarded_output
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.sweep_options import DEFAULT_FAMILY
from clip_hparam.records.paths import DEFAULT_RUNS
from clip_hparam.records.record import Record

MAX_WARNINGS = 10
DEFAULT_OUT = Path("results")


@with_guarded_output
def main(argv: Sequence[str] | None = None, prog: str = "python -m analysis") -> int:
    """Run one command and return its ExitCode; `prog` is the command's name in messages.

    Raises:
        SystemExit: the command cannot be parsed.
    """
    arguments = _create_parser(prog).parse_args(argv)
    if_missing = ExitCode.INCOMPLETE if getattr(arguments, "strict", False) else ExitCode.OK
    try:
        _validate_folders(arguments)
        missing: int = arguments.run(arguments)
    except (ValueError, FileNotFoundError) as error:
        return _print_error(prog, error, ExitCode.WRONG_USE)
    except NotSweptError as error:
        return _print_error(prog, error, if_missing)
    except OSError as error:
        message = f"{error.filename or 'storage'}: {error.strerror or error}"
        return _print_error(prog, message, ExitCode.STORAGE)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return if_missing if missing else ExitCode.OK


def _validate_folders(arguments: argparse.Namespace) -> None:
    """Raise UsageError for a folder of records that the user names and that does not exist."""
    given = getattr(arguments, "runs", None) or []
    for folder in given if isinstance(given, list) else [given]:
        validate_runs(folder)


def _create_parser(prog: str) -> CommandParser:
    """Return the parser; `run` of each command returns the number of missing runs."""
    parser = CommandParser(prog=prog, description="Write tables and figures from the records.")
    parser.set_defaults(prog=prog)
    commands = parser.add_subparsers(dest="what", required=True)
    for what in ("tables", "figures"):
        command = commands.add_parser(what, help=f"write {what} into the results folder")
        command.add_argument("names", nargs="*", metavar="NAME", help="default: all on record")
        _add_folder_arguments(command)
        command.add_argument("--strict", action="store_true", help="exit 4 if a run is missing")
        command.add_argument("--all", action="store_true", help=f"also write unchanged {what}")
        command.set_defaults(run=_write_outputs)
    report = commands.add_parser("report", help="write one self-contained HTML page of all records")
    _add_folder_arguments(report)
    report.set_defaults(run=_write_report)
    importing = commands.add_parser("import", help="import a table of results into a folder")
    add_import_arguments(importing)
    importing.set_defaults(run=_import_table)
    summary = commands.add_parser("summary", help="print the result of a search with uncertainty")
    add_summary_arguments(summary)
    summary.set_defaults(run=_print_summary)
    return parser


def _add_folder_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runs", action="append", type=Path, help="folder of records (runs); repeatable"
    )
    command.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, help="folder of the written files (results)"
    )
    command.add_argument(
        "--family", metavar="NAME", help="the recipe family, such as b16 (default: all on record)"
    )


def _write_outputs(arguments: argparse.Namespace) -> int:
    """Write tables or figures; return the number of planned runs that are missing."""
    frames = _load_frames(arguments)
    parts = list(family_parts(frames, arguments.family, arguments.out))
    if not arguments.names:
        return sum([_write_part(part, out, [], arguments) for part, out in parts])
    named = divide_names(arguments.names, [part for part, _ in parts])
    return sum(
        [
            _write_part(part, out, names, arguments)
            for (part, out), names in zip(parts, named, strict=True)
            if names
        ]
    )


def _write_part(frames: Frames, out: Path, typed: list[str], arguments: argparse.Namespace) -> int:
    """Write the tables or figures of one family; return the number of runs that are missing."""
    kind = build.output_kind(arguments.what, frames)
    if typed:
        names = choose_outputs(typed, kind, frames)
        return sum([_write_output(kind, frames, name, out, arguments) for name in names])
    if not kind.default_names and frames.imported is not None:
        raise UsageError(
            f"the imported table has no {arguments.what}: figures need two rows with"
            f" {frames.imported.objective}, tables up to {MAX_CELLS:,} cells"
        )
    print_shared_names(frames)
    older = superseded_names(frames)
    names = [name for name in kind.default_names if name not in older]
    missing = sum([_write_output(kind, frames, name, out, arguments) for name in names])
    for name in older:
        try:
            _write_output(kind, frames, name, out, arguments)
        except ValueError as error:  # such as a search that was stopped after its first point
            print(f"{name}: not written, {error}", file=sys.stderr)
    return missing


def _write_report(arguments: argparse.Namespace) -> int:
    from clip_hparam.analysis.report import report  # lazy: matplotlib and jinja2, 0.6 s

    frames = _load_frames(arguments)
    for part, out in family_parts(frames, arguments.family, arguments.out):
        print(report.write_report(part, out, _rerun_overrides(part)))
    return 0


def _rerun_overrides(frames: Frames) -> dict[str, tuple[str, ...]]:
    """Return the overrides that run each recorded trial again, by its id."""
    from clip_hparam.cli.hydra_app import rerun  # lazy: Hydra, 0.3 s

    planned = rerun.planned_overrides(frames.sweeps)
    folders = frames.trials["folder"].dropna().head(MAX_PAGES)
    records = (Record(Path(folder).parent, Path(folder).name) for folder in folders)
    return {
        record.trial_id: rerun.rerun_trial(record, planned).overrides
        for record in records
        if record.recipe() is not None
    }


def _import_table(arguments: argparse.Namespace) -> int:
    import_table(arguments)
    return 0


def _print_summary(arguments: argparse.Namespace) -> int:
    frames = load(arguments.runs)
    _print_problems(frames.problems)
    print_summary(frames, arguments.sweep, arguments.json)
    return 0


def _load_frames(arguments: argparse.Namespace) -> Frames:
    """Read the runs folders and print which records are not used.

    With the family of published numbers, no sweep need be on record.

    Raises:
        NotSweptError: no sweep is on record.
        UsageError: nothing is on record, and a name is that of no table, figure or design.
    """
    folders = arguments.runs or [DEFAULT_RUNS]
    may_be_empty = arguments.family not in (None, DEFAULT_FAMILY)
    if folders == [DEFAULT_RUNS] and not DEFAULT_RUNS.is_dir():  # nothing has run yet
        with TemporaryDirectory() as empty:
            frames = load(empty)._replace(runs=str(DEFAULT_RUNS))
    else:
        frames = load(folders)
    _print_problems(frames.problems)
    if not frames.sweeps and frames.imported is None and not may_be_empty:
        if names := getattr(arguments, "names", []):
            validate_planned(names, build.output_kind(arguments.what, frames))
        raise NotSweptError(no_sweep_message(folders[0]))
    return frames


def _print_problems(problems: list[str]) -> None:
    for problem in problems[:MAX_WARNINGS]:
        print(f"not used: {problem}", file=sys.stderr)
    if more := len(problems[MAX_WARNINGS:]):
        print(f"not used: {more} more records", file=sys.stderr)


def _write_output(
    kind: OutputKind, frames: Frames, name: str, out: Path, arguments: argparse.Namespace
) -> int:
    """Write a table or figure if its inputs changed; return the number of missing runs."""
    try:
        if not arguments.all and build.up_to_date_files(kind, frames, name, out):
            print(f"{name}: unchanged, not written again", file=sys.stderr)
        else:
            paths = build.build_output(kind, frames, name, out)
            print(*paths, sep="\n")
    except NotSweptError as error:
        _print_error(arguments.prog, error, ExitCode.INCOMPLETE)
        return 1
    swept = name in output_names(frames.sweeps)
    return count_missing_runs(frames, ablation_of(frames, name)) if swept else 0


def _print_error(prog: str, sentence: object, code: int) -> int:
    print(f"{prog}: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
