"""knobs, sweeps, recipes: the commands that list knobs, sweeps and recipes."""

import argparse
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from clip_hparam.cli.commands.command import Command, emit
from clip_hparam.cli.conf_folder import CONF
from clip_hparam.cli.reference import help_page
from clip_hparam.cli.reference.config_files import ConfigFile, recipe_files, sweep_files
from clip_hparam.cli.reference.entries import Entry, entries, find_entry, of_group
from clip_hparam.cli.reference.groups import GROUPS
from clip_hparam.cli.reference.launcher_help import find_launcher_keys, launcher_lines
from clip_hparam.cli.reference.one_knob import effect_of, knob_lines
from clip_hparam.config.exit_codes import ExitCode


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")


def _add_knobs_arguments(parser: argparse.ArgumentParser) -> None:
    groups = ", ".join(GROUPS)
    parser.add_argument("name", nargs="?", help=f"a knob, a group: {groups}, or launcher (all)")
    _add_json(parser)


def _run_knobs(arguments: argparse.Namespace) -> int:
    name = arguments.name
    if name is not None and (keys := find_launcher_keys(name)):
        emit(arguments, [key._asdict() for key in keys], launcher_lines(keys))
        return ExitCode.OK
    if name is None or name in GROUPS:
        chosen = list(entries().values()) if name is None else of_group(name)
        emit(arguments, [_facts(entry) for entry in chosen], _group_lines(name))
        return ExitCode.OK
    entry = find_entry(name)
    facts = _facts(entry)
    lines = knob_lines(entry, facts["in_use"], facts["sweeps"])
    emit(arguments, facts, lines)
    return ExitCode.OK


def _group_lines(name: str | None) -> Iterator[str]:
    for number, group in enumerate(GROUPS if name is None else [name]):
        if number:
            yield ""
        yield from help_page.group_lines(group, _values(), help_page.terminal_width())


def _facts(entry: Entry) -> dict[str, Any]:
    in_use = _values().get(entry.name, entry.default)
    facts = {"in_use": in_use, "effect": effect_of(entry), "sweeps": sweeps_over(entry.name)}
    return {**entry.to_dict(), **facts}


@cache
def _values() -> dict[str, Any]:
    from clip_hparam.cli.hydra_app.composed_values import composed_values  # lazy: Hydra, 0.2 s

    values, _ = composed_values()
    return values


def sweeps_over(knob: str) -> list[str]:
    """Return the listed sweeps whose files give the knob levels or a range, by their text."""
    pattern = re.compile(rf"^ +{re.escape(knob)}:", re.MULTILINE)
    paths = (
        (file.name, CONF / "sweeps" / f"{file.name}.yaml") for file in sweep_files(everything=False)
    )
    return [name for name, path in paths if pattern.search(path.read_text(encoding="utf-8"))]


def _add_sweeps_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all", action="store_true", help="also the sweeps that chose the values of the recipes"
    )
    _add_json(parser)


def _run_sweeps(arguments: argparse.Namespace) -> int:
    return _emit_files(arguments, sweep_files(everything=arguments.all), is_recipe=False)


def _add_recipes_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--family", help="only recipes of this family: tiny, b16, l14 (all)")
    _add_json(parser)


def _run_recipes(arguments: argparse.Namespace) -> int:
    return _emit_files(arguments, recipe_files(arguments.family), is_recipe=True)


def _emit_files(arguments: argparse.Namespace, files: list[ConfigFile], is_recipe: bool) -> int:
    tree = [file.to_dict() for file in files]
    emit(arguments, tree, help_page.file_lines(files, is_recipe))
    return ExitCode.OK


COMMANDS = (
    Command(
        "knobs",
        "list the knobs, or explain one: meaning, unit, values, default",
        _add_knobs_arguments,
        _run_knobs,
    ),
    Command(
        "sweeps",
        "list the sweeps that can be run, with their question",
        _add_sweeps_arguments,
        _run_sweeps,
    ),
    Command(
        "recipes",
        "list the recipes, with their cost and expected number",
        _add_recipes_arguments,
        _run_recipes,
    ),
)
