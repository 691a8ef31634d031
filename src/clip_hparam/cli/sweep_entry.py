"""Entry point of `python sweep.py` and `clip-hparam sweep`: help and version, else the Hydra app.

The app imports what a sweep needs, which takes longer than printing the help.
"""

import sys

from clip_hparam.cli.output import with_guarded_output
from clip_hparam.config.exit_codes import ExitCode

HELP_FLAGS = ("--help", "-h")
MULTIRUN_FLAGS = ("-m", "--multirun")


@with_guarded_output
def main() -> int:
    """Run the command and return its ExitCode."""
    words = sys.argv[1:]
    if "--version" in words:
        print(version_line())
        return ExitCode.OK
    if any(flag in words for flag in HELP_FLAGS):
        return _print_help([word for word in words if word not in HELP_FLAGS])
    from clip_hparam.cli.hydra_app.app import main as sweep  # lazy: Hydra and numpy, 0.5 s

    return sweep()


def version_line() -> str:
    """Return the versions of this program, Python and Hydra."""
    from importlib.metadata import version

    import clip_hparam

    python = ".".join(map(str, sys.version_info[:3]))
    hydra = version("hydra-core")
    return f"clip-hparam {clip_hparam.__version__} (Python {python}, Hydra {hydra})"


def _print_help(words: list[str]) -> int:
    """Print the help with the values of the typed overrides; those of a sweep are ignored."""
    from clip_hparam.cli.hydra_app.composed_values import composed_values  # lazy: Hydra, 0.2 s
    from clip_hparam.cli.reference.help_page import help_lines

    is_sweep = any(flag in words for flag in MULTIRUN_FLAGS)
    typed = [] if is_sweep else [word for word in words if "=" in word and word[0] != "-"]
    try:
        values, options = composed_values(typed)
    except Exception as error:
        return _print_mistake(error, bool(typed))
    print("\n".join(help_lines(values, options)))
    return ExitCode.OK


def _print_mistake(error: Exception, is_typed: bool) -> int:
    """Print the message about a mistake in the overrides; raise any other error."""
    from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message

    if not is_typed or not isinstance(error, USER_ERRORS):
        raise error
    print(user_message(error), file=sys.stderr)
    return ExitCode.WRONG_USE
