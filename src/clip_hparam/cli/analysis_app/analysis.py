"""`python -m analysis`: write tables, figures and the report; import and summarise results.

Exit codes: 0; 2 wrong use; 3 storage; 4 with --strict if a planned run has no number yet. Paths of
written files go to stdout, warnings and errors go to stderr, one sentence each.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from clip_hparam.analysis.evidence.replicates import NotSweptError
from clip_hparam.analysis.frames.frame import Frames, load
from clip_hparam.analysis.report import build
from clip_hparam.cli.analysis_app.analysis_inputs import (
    add_import_arguments,
    add_summary_arguments,
    import_table,
    print_summary,
    refuse_name_of_sweep,
)
from clip_hparam.cli.analysis_app.dashboard import add_dashboard_arguments, run_dashboard
from clip_hparam.cli.analysis_app.figure_arguments import add_figure_arguments
from clip_hparam.cli.analysis_app.output_choice import validate_planned
from clip_hparam.cli.analysis_app.outputs import write_outputs, write_report
from clip_hparam.cli.commands.command import CommandParser, validate_runs
from clip_hparam.cli.commands.name_lookup import no_sweep_message
from clip_hparam.cli.output import with_guarded_output
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY
from clip_hparam.config.text.count import counted
from clip_hparam.records.paths import DEFAULT_RUNS

MAX_WARNINGS = 10
DEFAULT_OUT = Path("results")


@with_guarded_output
def main(argv: Sequence[str] | None = None, prog: str = "python -m analysis") -> int:
    """Run one command and return its ExitCode; `prog` is the command's name in messages.

    Raises:
        SystemExit: the command cannot be parsed.
    """
    arguments = create_parser(prog).parse_args(argv)
    arguments.runs = getattr(arguments, "folder", None) or getattr(arguments, "runs", None)
    if_missing = ExitCode.INCOMPLETE if getattr(arguments, "strict", False) else ExitCode.OK
    try:
        if isinstance(getattr(arguments, "runs", None), Path):
            refuse_name_of_sweep(arguments.runs)
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


def create_parser(prog: str) -> CommandParser:
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
        if what == "figures":
            add_figure_arguments(command)
        command.set_defaults(run=_write_outputs)
    report = commands.add_parser("report", help="write one self-contained HTML page of all records")
    report.add_argument(
        "sweep",
        nargs="?",
        metavar="NAME",
        help="a sweep or a study: a page of it alone, NAME-report.html",
    )
    _add_folder_arguments(report)
    report.set_defaults(run=_write_report)
    dashboard = commands.add_parser("dashboard", help="serve this page live while sweeps run")
    add_dashboard_arguments(dashboard)
    dashboard.set_defaults(run=run_dashboard)
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
    return write_outputs(_load_frames(arguments), arguments)


def _write_report(arguments: argparse.Namespace) -> int:
    write_report(_load_frames(arguments), arguments)
    return 0


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

    With the family of published numbers, no sweep need be on record. A report needs one trial.

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
    may_be_empty |= arguments.what == "report" and not frames.trials.empty  # single trials
    if not frames.sweeps and frames.imported is None and not may_be_empty:
        if names := getattr(arguments, "names", []):
            validate_planned(names, build.output_kind(arguments.what, frames))
        raise NotSweptError(no_sweep_message(folders[0]))
    return frames


def _print_problems(problems: list[str]) -> None:
    for problem in problems[:MAX_WARNINGS]:
        print(f"not used: {problem}", file=sys.stderr)
    if more := len(problems[MAX_WARNINGS:]):
        print(f"not used: {counted(more, 'more record')}", file=sys.stderr)


def _print_error(prog: str, sentence: object, code: int) -> int:
    print(f"{prog}: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
