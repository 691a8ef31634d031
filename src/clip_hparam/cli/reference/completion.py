"""completion: scripts for shells that complete `clip-hparam`, its `sweep`, and `python sweep.py`.

shtab writes the part for the options of `clip-hparam`. The words of a sweep, such as lr= and
sweeps=ladder, are a list in the script, so that a key press starts no process.
"""

import argparse
from collections.abc import Callable, Iterator

from clip_hparam.cli.commands.command import Command
from clip_hparam.cli.conf_folder import CONF
from clip_hparam.cli.reference.config_files import recipe_files, sweep_files
from clip_hparam.cli.reference.entries import Entry, entries
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY

SHELLS = ("bash", "zsh", "tcsh")
GROUPS_OF_FILES = ("data", "encoder", "family", "machine")
FLAGS = ("--help", "--version", "--multirun", "--cfg", "--hydra-help", "-m")
WORDS = "_clip_hparam_words=(\n{words}\n)\n"
BASH = r"""
_clip_hparam_sweep() {
  local line word IFS=$'\n'
  line=${COMP_LINE:0:COMP_POINT}
  word=${line##*[[:space:]]}
  COMPREPLY=($(compgen -W "${_clip_hparam_words[*]}" -- "$word"))
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
  if [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${word%%=*}="}")
  fi
}
_clip_hparam_entry() {
  if [[ ${COMP_WORDS[1]} == sweep && $COMP_CWORD -gt 1 ]]
  then _clip_hparam_sweep
  else _shtab_clip_hparam "$@"
  fi
}
_clip_hparam_python() {
  if [[ ${COMP_WORDS[1]} == *sweep.py && $COMP_CWORD -gt 1 ]]; then _clip_hparam_sweep; fi
}
complete -o default -F _clip_hparam_entry clip-hparam
complete -o default -F _clip_hparam_python python python3
"""
"""Readline breaks words at "=", so that only what follows it is replaced."""
ZSH = r"""
_clip_hparam_entry() {
  if [[ $words[2] == sweep ]] && (( CURRENT > 2 ))
  then compadd -S '' -a _clip_hparam_words
  else _shtab_clip_hparam "$@"
  fi
}
_clip_hparam_python() {
  if [[ $words[2] == *sweep.py ]] && (( CURRENT > 2 ))
  then compadd -S '' -a _clip_hparam_words
  elif (( $+functions[_python] ))
  then _python "$@"
  else _default
  fi
}
compdef _clip_hparam_entry clip-hparam
compdef _clip_hparam_python python python3
"""


def sweep_words() -> list[str]:
    """Return the words that a sweep takes: flags, KNOB= with its legal names, GROUP=NAME."""
    files = [
        f"{group}={path.stem}"
        for group in GROUPS_OF_FILES
        for path in sorted((CONF / group).glob("*.yaml"))
    ]
    recipes = [
        f"recipe={file.name}"
        for file in recipe_files()
        if file.family == DEFAULT_FAMILY or "/" in file.name
    ]
    sweeps = [f"sweeps={file.name}" for file in sweep_files()]
    knobs = [word for entry in entries().values() for word in _words_of(entry)]
    return [*FLAGS, *files, *recipes, *sweeps, *knobs]


def _words_of(entry: Entry) -> Iterator[str]:
    """Yield KEY=NAME for each name that a knob takes, else KEY=."""
    if entry.legal == "true or false":
        yield from (f"{entry.name}={value}" for value in ("true", "false"))
    elif entry.legal.startswith("one of "):
        yield from (f"{entry.name}={value}" for value in entry.legal[7:].split(", "))
    else:
        yield f"{entry.name}="


def completion_script(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return the script of a shell; its output is for `eval`."""
    import shtab  # lazy: for this command only

    own: str = shtab.complete(parser, shell)
    if shell == "tcsh":
        return own
    words = WORDS.format(words="\n".join(f"'{word}'" for word in sweep_words()))
    return f"{own}\n{words}{BASH if shell == 'bash' else ZSH}"


def completion_command(create_parser: Callable[[], argparse.ArgumentParser]) -> Command:
    """Return the command `completion`; `create_parser` returns the parser of all commands."""

    def run(arguments: argparse.Namespace) -> int:
        print(completion_script(arguments.shell, create_parser()))
        return ExitCode.OK

    help_text = "print the completion script of a shell: eval its output"
    return Command("completion", help_text, _add_arguments, run)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)
