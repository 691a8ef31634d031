"""`clip-hparam`: ask what happened, and the installed forms of sweep.py and analysis.

Exit codes: 0; 2 wrong use; 3 storage; 4 incomplete where asked to be strict.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from clip_hparam import status

OK, WRONG_USE, STORAGE = 0, 2, 3
PASSED_ON = {
    "sweep": "a trial, or a sweep of them: sweep.py",
    "tables": "from the records to tables: python -m analysis tables",
    "figures": "from the records to figures: python -m analysis figures",
}


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence instead of argparse's usage and sentence."""
        self.exit(WRONG_USE, f"{self.prog}: {message}\n")


def main() -> int:
    """The exit code."""
    words = sys.argv[1:]
    if words[:1] and words[0] in PASSED_ON:
        return _passed_on(words[0], words[1:])
    arguments = _parser().parse_args(words)
    command: Callable[[argparse.Namespace], None] = arguments.command
    try:
        command(arguments)
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return STORAGE
    return OK


def _parser() -> Parser:
    parser = Parser(prog="clip-hparam", description=__doc__.splitlines()[0] if __doc__ else None)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    shown = verbs.add_parser("status", help="the sweeps of a runs folder, by state")
    shown.set_defaults(command=_status)
    told = verbs.add_parser("why", help="what became of a trial, and how to run it again")
    told.add_argument("trial", help="trial id, or the start of one")
    told.set_defaults(command=_why)
    for verb in (shown, told):
        verb.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the records")
        verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    described = verbs.add_parser("describe", help="what a recipe amounts to, before it is run")
    described.add_argument("overrides", nargs="*", help="as for sweep.py: recipe=llrd lr=1e-3")
    described.set_defaults(command=_describe)
    for name, does in PASSED_ON.items():
        verbs.add_parser(name, help=does)
    return parser


def _passed_on(verb: str, words: Sequence[str]) -> int:
    if verb == "sweep":
        from clip_hparam.app import main as sweep  # each verb pays for its own imports

        sys.argv[1:] = words
        return sweep()
    from analysis.__main__ import main as analysis

    return analysis([verb, *words])


def _status(arguments: argparse.Namespace) -> None:
    sweeps = status.sweeps(arguments.runs)
    if arguments.json:
        print(json.dumps([asdict(sweep) for sweep in sweeps]))
    elif not sweeps:
        print(f"no sweep is on record in {arguments.runs}: type python sweep.py -m sweeps=ladder")
    for sweep in [] if arguments.json else sweeps:
        states = ", ".join(f"{count} {state}" for state, count in sorted(sweep.states.items()))
        print(f"{sweep.sweep_id}  {sweep.created}  {sweep.name}: {states}")


def _why(arguments: argparse.Namespace) -> None:
    facts = status.why(status.find(arguments.runs, arguments.trial))
    if arguments.json:
        print(json.dumps(facts))
        return
    print(f"{facts['trial_id']} is {facts['state']}  ({facts['label']})")
    if facts["failure"]:
        print(f"{facts['failure']['kind']}: {facts['failure']['message']}")
    print("last lines of its log:", *facts["log"], sep="\n  ")
    print(f"again: {facts['rerun']}")


def _describe(arguments: argparse.Namespace) -> None:
    from clip_hparam.compose import composed  # Hydra: the other verbs do without
    from clip_hparam.describe import describe, lint
    from clip_hparam.errors import USER_ERRORS, sentence
    from clip_hparam.plan import resolve

    try:
        recipe = resolve(composed(arguments.overrides))
    except USER_ERRORS as error:
        raise ValueError(sentence(error)) from None
    print(describe(recipe))
    for warning in lint(recipe):
        print(f"note: {warning}")
