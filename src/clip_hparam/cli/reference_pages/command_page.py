"""docs/reference/commands.md: each command with its arguments and options."""

import argparse
from collections.abc import Iterator, Mapping

from clip_hparam.cli.analysis_app.analysis import create_parser as create_analysis_parser
from clip_hparam.cli.main import FORWARDED_COMMANDS, create_parser
from clip_hparam.cli.reference.overview import GROUPS, CommandGroup
from clip_hparam.cli.reference_pages.markdown import anchor, code, page, table

INTRODUCTION = """\
`clip-hparam COMMAND --help` prints the same facts. NAME stands for a sweep, by its name, its id
or the start of its id; a CELL for `[SWEEP/]LABEL`; a TRIAL for its id, the start of it, or its
label. Options in brackets may be left out. Codes that commands end with: [exit
codes](environment.md#exit-codes).

In a checkout, `python sweep.py` is `clip-hparam sweep`, and `python -m analysis` has the commands
that read frames: `tables`, `figures`, `report`, `dashboard`, `import`, `summary`."""
SWEEP = """\
## sweep

Run a trial, or with `-m` a sweep: [its keys](knobs.md), [its designs](designs.md).

| option | meaning |
| --- | --- |
| `-m`, `--multirun` | a sweep: lists of values are levels |
| `-h`, `--help` | all keys with the values in use; words before it are applied |
| `--version` | versions of the program, Python and Hydra |
| `--cfg job` | the values of a command, as YAML |
| `--config-dir FOLDER` | also take files from FOLDER/sweeps, FOLDER/recipe, ... |
| `--info`, `--hydra-help` | Hydra's own |"""


def command_page() -> str:
    """Return the page."""
    parsers = dict(sorted(command_parsers().items()))
    listed = (_group_table(group, create_parser().summaries) for group in GROUPS)
    sections = (_section(name, parser) for name, parser in parsers.items())
    return page("Commands", INTRODUCTION, *listed, SWEEP, *sections)


def _group_table(group: CommandGroup, summaries: Mapping[str, str]) -> str:
    rows = ([f"[`{name}`](#{anchor(name)})", summaries[name]] for name in group.names)
    return f"**{group.title}**\n\n{table(['command', 'what it does'], rows)}"


def command_parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command by its name, without that of `sweep`, which is Hydra's."""
    own = _subparsers(create_parser()).choices
    forwarded = _subparsers(create_analysis_parser("clip-hparam")).choices
    return {
        **{name: parser for name, parser in own.items() if name not in FORWARDED_COMMANDS},
        **forwarded,
    }


def _subparsers(
    parser: argparse.ArgumentParser,
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    (subparsers,) = (
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    return subparsers


def _summaries() -> dict[str, str]:
    actions = _subparsers(create_parser())._choices_actions
    return {action.dest: action.help or "" for action in actions}


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    nested = [
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    ]
    usage = f"```text\n{_usage(parser)}\n```"
    inner = "\n\n".join(
        f"### {name} {verb}\n\n```text\n{_usage(action)}\n```\n\n{_options(action)}"
        for action in nested
        for verb, action in action.choices.items()
    )
    summary = _summaries().get(name, "")
    sentence = f"{summary[:1].upper()}{summary[1:]}."
    return "\n\n".join(filter(None, (f"## {name}", sentence, usage, _options(parser), inner)))


def _usage(parser: argparse.ArgumentParser) -> str:
    words = [parser.prog, *_words(parser)]
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) > 96:
            lines.append("   ")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def _words(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the words of a usage line; argparse's own form of it differs between Pythons."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield "|".join(action.choices)
        elif not action.option_strings:
            yield _optional(_value(action), action.nargs in ("?", "*")) + (
                " ..." if action.nargs in ("*", "+") else ""
            )
        elif action.dest != "help":
            option = " ".join(filter(None, (action.option_strings[-1], _value(action))))
            yield _optional(option, not action.required)


def _optional(text: str, is_optional: bool) -> str:
    return f"[{text}]" if is_optional else text


def _value(action: argparse.Action) -> str:
    """Return the placeholder of the value of an option; empty for a flag."""
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    if isinstance(action.metavar, str):
        return action.metavar
    return action.dest.upper()


def _options(parser: argparse.ArgumentParser) -> str:
    rows = [
        [code(_written(action)), action.help or "", _default(action)]
        for action in parser._actions
        if action.dest != "help" and not isinstance(action, argparse._SubParsersAction)
    ]
    return table(["argument", "meaning", "default"], rows) if rows else ""


def _written(action: argparse.Action) -> str:
    value = _value(action)
    if not action.option_strings:
        return value
    return ", ".join(" ".join(filter(None, (name, value))) for name in action.option_strings)


def _default(action: argparse.Action) -> str:
    is_shown = action.default not in (None, False, argparse.SUPPRESS, [])
    return code(str(action.default)) if is_shown and action.option_strings else ""
