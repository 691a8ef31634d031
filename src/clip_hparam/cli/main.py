"""The command `clip-hparam`: inspect and manage records; also runs sweep.py and analysis.

Exit codes: 0; 2 wrong use; 3 storage; 4 incomplete with --strict.
"""

import sys
from collections.abc import Mapping, Sequence

from clip_hparam.cli import demo, sweep_entry
from clip_hparam.cli.commands import (
    cancel,
    data,
    inspect,
    maintain,
    results,
    retry,
    status,
    storage,
    sync,
)
from clip_hparam.cli.commands.command import Command, CommandParser, validate_runs
from clip_hparam.cli.commands.stored import derive, use_weights
from clip_hparam.cli.commands.trials import top, trial_page
from clip_hparam.cli.output import with_guarded_output
from clip_hparam.cli.reference import lists
from clip_hparam.cli.reference.completion import completion_command
from clip_hparam.cli.reference.overview import overview_lines, unknown_command_message
from clip_hparam.config.exit_codes import ExitCode

FORWARDED_COMMANDS = {
    "sweep": "train one trial, or with -m a sweep of trials",
    "tables": "write tables of the results",
    "figures": "write figures of the results",
    "report": "write one HTML page of all results",
    "dashboard": "serve the report live while sweeps run",
    "import": "import a table of results of another tool",
    "summary": "print the result of a search",
}


@with_guarded_output
def main() -> int:
    """Run `clip-hparam` and return its ExitCode."""
    argv = sys.argv[1:]
    if argv and argv[0] in FORWARDED_COMMANDS:
        return _run_forwarded(argv[0], argv[1:])
    if argv == ["--version"]:
        print(sweep_entry.version_line())
        return ExitCode.OK
    parser = create_parser()
    if not argv:
        parser.print_help(sys.stderr)
        return ExitCode.WRONG_USE
    if argv[0][0:1] != "-" and argv[0] not in parser.summaries:
        print(unknown_command_message(argv[0]), file=sys.stderr)
        return ExitCode.WRONG_USE
    arguments = parser.parse_args(argv)
    command: Command = arguments.command
    try:
        if hasattr(arguments, "runs"):
            validate_runs(arguments.runs)
        return command.run(arguments)
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return ExitCode.WRONG_USE
    except OSError as error:
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(message, file=sys.stderr)
        return ExitCode.STORAGE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


class OverviewParser(CommandParser):
    """The parser of all commands; `summaries` holds a phrase for each by its name."""

    summaries: Mapping[str, str]

    def format_help(self) -> str:
        """Return the page of all commands by purpose."""
        return "\n".join(overview_lines(self.summaries)) + "\n"


def create_parser() -> OverviewParser:
    """Return the parser of all commands; forwarded ones are listed, not parsed."""
    parser = OverviewParser(prog="clip-hparam")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=CommandParser)
    version = "print the versions of this program, Python and Hydra"
    parser.add_argument("--version", action="store_true", help=version)
    groups = (
        *(lists, status, top, trial_page, inspect, results, retry, cancel, maintain, data, storage),
        *(derive, sync, use_weights, demo),
    )
    completion = completion_command(create_parser)
    commands = (*(command for group in groups for command in group.COMMANDS), completion)
    for command in commands:
        added = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(added)
        added.set_defaults(command=command)
    for name, summary in FORWARDED_COMMANDS.items():
        subparsers.add_parser(name, help=summary)
    parser.summaries = {**{one.name: one.help for one in commands}, **FORWARDED_COMMANDS}
    return parser


def _run_forwarded(name: str, argv: Sequence[str]) -> int:
    if name == "sweep":
        sys.argv[1:] = argv
        return sweep_entry.main()
    from clip_hparam.cli.analysis_app.analysis import main as analysis  # lazy: pandas, 0.4 s

    return analysis([name, *argv], prog="clip-hparam")
