"""`python -m analysis tables|figures [NAME ...]`: from the records to results/.

Exit codes: 0; 2 wrong use; 3 storage; 4 with --strict if a planned run has no number yet. What
was written goes to stdout, what is wrong to stderr, a sentence each.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from analysis.ablations import ABLATIONS, of_sweep
from analysis.evidence import NotSweptError, evidence, missing_runs
from analysis.frame import Frames, load
from analysis.sweeps import newest
from clip_hparam.knob import near

WRONG_USE, STORAGE, INCOMPLETE = 2, 3, 4
NOTHING = "no sweep is on record in {runs}: type make ladder, or python sweep.py -m sweeps=ladder"
WARNINGS_SHOWN = 10
DEFAULT_RUNS = Path("runs")

Maker = Callable[[Frames, str, Path], list[Path]]  # frames, name, folder -> what was written


class WrongUseError(Exception):
    """A name or folder that is not there; the message says what there is."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence instead of argparse's usage and sentence."""
        self.exit(WRONG_USE, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code; raises SystemExit(2) for a mistyped command line."""
    arguments = _parser().parse_args(argv)
    try:
        frames = _frames(arguments.runs)
        make, known = _maker(arguments.what, frames)
        wanted = _wanted(arguments.names, frames, known, arguments.what)
        missing = sum([_made(make, frames, name, arguments.out) for name in wanted])
    except WrongUseError as error:
        return _say(error, WRONG_USE)
    except NotSweptError as error:
        return _say(error, INCOMPLETE if arguments.strict else 0)
    except OSError as error:
        return _say(f"{error.filename or arguments.out}: {error.strerror or error}", STORAGE)
    return INCOMPLETE if missing and arguments.strict else 0


def _parser() -> Parser:
    parser = Parser(prog="python -m analysis", description="Tables and figures from the records.")
    commands = parser.add_subparsers(dest="what", required=True)
    for what in ("tables", "figures"):
        command = commands.add_parser(what, help=f"write the {what} into the results folder")
        command.add_argument("names", nargs="*", metavar="NAME", help="ladder, lr, ... (all)")
        command.add_argument(
            "--runs", action="append", type=Path, help="records (runs); repeatable"
        )
        command.add_argument("--out", type=Path, default=Path("results"), help="(results)")
        command.add_argument("--strict", action="store_true", help="exit 4 if a run is missing")
    return parser


def _frames(runs: list[Path] | None) -> Frames:
    """Raises NotSweptError if nothing ran yet, WrongUseError for another folder not there."""
    folders = runs or [DEFAULT_RUNS]
    try:
        frames = load(folders)
    except FileNotFoundError as error:
        if folders != [DEFAULT_RUNS]:
            raise WrongUseError(str(error)) from error
        raise NotSweptError(NOTHING.format(runs=DEFAULT_RUNS)) from error
    for problem in frames.problems[:WARNINGS_SHOWN]:
        print(f"not used: {problem}", file=sys.stderr)
    if more := len(frames.problems[WARNINGS_SHOWN:]):
        print(f"not used: {more} more records", file=sys.stderr)
    if not frames.sweeps:
        raise NotSweptError(NOTHING.format(runs=", ".join(map(str, folders))))
    return frames


def _maker(what: str, frames: Frames) -> tuple[Maker, set[str]]:
    """What writes one table or figure, and the names it can be asked for."""
    if what == "figures":
        from analysis import plots, style  # matplotlib: not needed for --help and tables

        def draw(frames: Frames, name: str, out: Path) -> list[Path]:
            return style.save(plots.FIGURES[name](frames), out, name)

        return draw, set(plots.FIGURES)
    from analysis import render, tables  # jinja2: not needed for --help and figures

    def tabulate(frames: Frames, name: str, out: Path) -> list[Path]:
        return render.write(tables.table(frames, of_sweep(name)), out)

    return tabulate, {*ABLATIONS, *newest(frames.sweeps)}


def _wanted(names: list[str], frames: Frames, known: set[str], what: str) -> list[str]:
    """The names asked for, else all on record. Raises WrongUseError for an unknown name."""
    for name in names:
        if name not in known:
            raise WrongUseError(f"{name} is none of the {what}: {near(name, known)}")
    return names or [name for name in newest(frames.sweeps) if name in known]


def _made(make: Maker, frames: Frames, name: str, out: Path) -> int:
    """Writes one table or figure, or says what to type; the number of runs that are missing."""
    try:
        data = evidence(frames, of_sweep(name))
        print(*make(frames, name, out), sep="\n")
    except NotSweptError as error:
        _say(error, INCOMPLETE)
        return 1
    return missing_runs(data)


def _say(sentence: object, code: int) -> int:
    print(f"python -m analysis: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
