"""`clip-hparam`: ask what happened, and the installed forms of sweep.py and analysis.

Exit codes: 0; 2 wrong use; 3 storage; 4 incomplete where asked to be strict.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from clip_hparam.cli.commands import cancel, inspect, maintain, results, retry
from clip_hparam.cli.commands.command import OK, STORAGE, WRONG_USE, Command

FORWARDED_COMMANDS = {
    "sweep": "a trial, or a sweep of them: sweep.py",
    "tables": "from the records to tables: python -m analysis tables",
    "figures": "from the records to figures: python -m analysis figures",
    "report": "one HTML page of everything: python -m analysis report",
    "import": "results of others into a folder of ours: python -m analysis import",
    "summary": "what a search found: python -m analysis summary",
}
SHELLS = ("bash", "zsh", "tcsh")


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence instead of argparse's usage and sentence."""
        self.exit(WRONG_USE, f"{self.prog}: {message}\n")


def main() -> int:
    """The exit code."""
    words = sys.argv[1:]
    if words[:1] and words[0] in FORWARDED_COMMANDS:
        return _run_forwarded(words[0], words[1:])
    arguments = create_parser().parse_args(words)
    verb: Command = arguments.verb
    try:
        return verb.run(arguments)
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(said, file=sys.stderr)
        return STORAGE
    except KeyboardInterrupt:
        return 130


def create_parser() -> Parser:
    made = Parser(prog="clip-hparam", description=__doc__.splitlines()[0] if __doc__ else None)
    verbs = made.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    completed = Command(
        "completion", "completion for a shell: eval it", _add_completion_arguments, _run_completion
    )
    groups = (inspect, results, retry, cancel, maintain)
    for verb in (*(verb for group in groups for verb in group.VERBS), completed):
        added = verbs.add_parser(verb.name, help=verb.help, description=verb.help)
        verb.add_arguments(added)
        added.set_defaults(verb=verb)
    for name, does in FORWARDED_COMMANDS.items():
        verbs.add_parser(name, help=does)
    return made


def _run_forwarded(verb: str, words: Sequence[str]) -> int:
    if verb == "sweep":
        from clip_hparam.cli.hydra_app.app import (
            main as sweep,  # each verb pays for its own imports
        )

        sys.argv[1:] = words
        return sweep()
    from clip_hparam.cli.commands.analysis import main as analysis

    return analysis([verb, *words])


def _add_completion_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def _run_completion(arguments: argparse.Namespace) -> int:
    import shtab  # needed by no other verb

    print(shtab.complete(create_parser(), arguments.shell))
    return OK
