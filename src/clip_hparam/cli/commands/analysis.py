"""`python -m analysis tables|figures [NAME ...]`: from the records to results/, what changed;
`report`; and `import`, `summary` for what others ran.

Exit codes: 0; 2 wrong use; 3 storage; 4 with --strict if a planned run has no number yet. What
was written goes to stdout, what is wrong to stderr, a sentence each.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from clip_hparam.analysis.evidence.evidence import NotSweptError, ablation_of, count_missing_runs
from clip_hparam.analysis.frames.frame import Frames, load
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.analysis.report import build
from clip_hparam.analysis.report.build import OutputKind
from clip_hparam.cli.commands.analysis_inputs import (
    add_import_arguments,
    add_summary_arguments,
    import_table,
    print_summary,
)
from clip_hparam.cli.commands.command import CommandParser, UsageError
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.knob import suggest

NO_SWEEP_MESSAGE = (
    "no sweep is on record in {runs}: type make ladder, or python sweep.py -m sweeps=ladder"
)
MAX_WARNINGS = 10
DEFAULT_RUNS = Path("runs")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its ExitCode. Raises: SystemExit(2) for a mistyped command."""
    arguments = _create_parser().parse_args(argv)
    if_missing = ExitCode.INCOMPLETE if getattr(arguments, "strict", False) else ExitCode.OK
    try:
        missing: int = arguments.command(arguments)
    except (ValueError, FileNotFoundError) as error:
        return _print_error(error, ExitCode.WRONG_USE)
    except NotSweptError as error:
        return _print_error(error, if_missing)
    except OSError as error:
        message = f"{error.filename or 'storage'}: {error.strerror or error}"
        return _print_error(message, ExitCode.STORAGE)
    return if_missing if missing else ExitCode.OK


def _create_parser() -> CommandParser:
    description = "Tables and figures from the records."
    parser = CommandParser(prog="python -m analysis", description=description)
    verbs = parser.add_subparsers(dest="what", required=True)
    for what in ("tables", "figures"):
        verb = verbs.add_parser(what, help=f"write the {what} into the results folder")
        verb.add_argument("names", nargs="*", metavar="NAME", help="default: all on record")
        verb.add_argument("--runs", action="append", type=Path, help="records (runs); repeatable")
        verb.add_argument("--out", type=Path, default=Path("results"), help="(results)")
        verb.add_argument("--strict", action="store_true", help="exit 4 if a run is missing")
        verb.add_argument("--all", action="store_true", help="also what has not changed")
        verb.set_defaults(command=_run_make)
    report = verbs.add_parser("report", help="one self-contained HTML page of everything")
    report.add_argument("--runs", action="append", type=Path, help="records (runs); repeatable")
    report.add_argument("--out", type=Path, default=Path("results"), help="(results)")
    report.set_defaults(command=_run_report)
    imported = verbs.add_parser("import", help="a results table of others, into a folder of ours")
    add_import_arguments(imported)
    imported.set_defaults(command=_run_import)
    told = verbs.add_parser("summary", help="what a search found, and how sure that is")
    add_summary_arguments(told)
    told.set_defaults(command=_run_summary)
    return parser


def _run_make(arguments: argparse.Namespace) -> int:
    """Tables or figures; the number of planned runs that are missing."""
    frames = _load_frames(arguments.runs)
    kind = build.output_kind(arguments.what, frames)
    wanted = _validated_names(arguments.names, kind) or kind.default_names
    return sum([_write_output(kind, frames, name, arguments) for name in wanted])


def _run_report(arguments: argparse.Namespace) -> int:
    from clip_hparam.analysis.report import report  # matplotlib and jinja2: not needed for --help

    print(report.write_report(_load_frames(arguments.runs), arguments.out))
    return 0


def _run_import(arguments: argparse.Namespace) -> int:
    import_table(arguments)
    return 0


def _run_summary(arguments: argparse.Namespace) -> int:
    frames = load(arguments.runs)
    _print_problems(frames.problems)
    print_summary(frames, arguments.sweep, arguments.json)
    return 0


def _load_frames(runs: list[Path] | None) -> Frames:
    """Raises NotSweptError if nothing ran yet, WrongUseError for another folder not there."""
    folders = runs or [DEFAULT_RUNS]
    try:
        frames = load(folders)
    except FileNotFoundError as error:
        if folders != [DEFAULT_RUNS]:
            raise UsageError(str(error)) from error
        raise NotSweptError(NO_SWEEP_MESSAGE.format(runs=DEFAULT_RUNS)) from error
    _print_problems(frames.problems)
    if not frames.sweeps and frames.imported is None:
        raise NotSweptError(NO_SWEEP_MESSAGE.format(runs=", ".join(map(str, folders))))
    return frames


def _print_problems(problems: list[str]) -> None:
    for problem in problems[:MAX_WARNINGS]:
        print(f"not used: {problem}", file=sys.stderr)
    if more := len(problems[MAX_WARNINGS:]):
        print(f"not used: {more} more records", file=sys.stderr)


def _validated_names(names: list[str], kind: OutputKind) -> list[str]:
    """The names asked for. Raises WrongUseError for an unknown one."""
    for name in names:
        if name not in kind.names:
            raise UsageError(f"{name} is none of the {kind.what}: {suggest(name, kind.names)}")
    return names


def _write_output(
    kind: OutputKind, frames: Frames, name: str, arguments: argparse.Namespace
) -> int:
    """Writes one table or figure, or says what to type; the number of runs that are missing."""
    out: Path = arguments.out
    try:
        if not arguments.all and build.up_to_date_files(kind, frames, name, out):
            print(f"{name}: nothing changed since it was made", file=sys.stderr)
        else:
            print(*build.build_output(kind, frames, name, out), sep="\n")
    except NotSweptError as error:
        _print_error(error, ExitCode.INCOMPLETE)
        return 1
    swept = name in newest_by_name(frames.sweeps)
    return count_missing_runs(frames, ablation_of(frames, name)) if swept else 0


def _print_error(sentence: object, code: int) -> int:
    print(f"python -m analysis: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
