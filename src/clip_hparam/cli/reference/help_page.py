"""The page of `--help` of a sweep, and the lists of knobs, sweeps and recipes."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clip_hparam.cli.reference.config_files import ConfigFile, recipe_files, sweep_files
from clip_hparam.cli.reference.entries import Entry, entries
from clip_hparam.cli.reference.groups import GROUPS
from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY
from clip_hparam.config.text.override_words import format_override, sweep_program

NAME_WIDTH = 26
ANY_FAMILY = "any"
MIN_WIDTH, MAX_WIDTH = 60, 110
USAGE = """\
Fine-tune CLIP: one trial, or a sweep of them.

  {program} [KNOB=VALUE ...]             one trial
  {program} -m KNOB=A,B ... [seeds=N]    all combinations of the values
  {program} -m sweeps=NAME [KNOB=VALUE]  a design that is listed below

Examples
  {program} lr=1e-3 layer_decay=0.7 seed=3
  {program} -m lr=3e-4,1e-3 layer_decay=0.65,0.75 seeds=5
  {program} -m sweeps=ladder dry_run=true
  {program} data=folder data.root=PHOTOS recipe=ema epochs=5
  {program} -m sweeps=search hydra.sweeper.n_trials=30
  {program} -m sweeps=lr hydra/launcher=submitit_slurm

The list below shows the value of each knob that is not typed in the command.
clip-hparam knobs NAME explains a knob; clip-hparam sweeps and clip-hparam
recipes list all of them.
"""


def terminal_width() -> int:
    """Return the columns of the terminal, 80 in a pipe, within the widths that read well."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, MIN_WIDTH), MAX_WIDTH)


def help_lines(values: Mapping[str, Any], choices: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the page of --help.

    values: of the knobs in use. choices: options of the config groups that are no sweep and no
    recipe, such as data.
    """
    width = terminal_width()
    yield USAGE.format(program=sweep_program()).rstrip()
    for group in GROUPS:
        yield ""
        yield from group_lines(group, values, width)
    yield ""
    yield "Files of values: choose with GROUP=NAME"
    for group, options in choices.items():
        yield from item_lines(f"{group}=", ", ".join(options), width)
    yield ""
    yield "Slurm: hydra/launcher=submitit_slurm and hydra.launcher.KEY=VALUE"
    yield "  clip-hparam knobs launcher lists the keys: partition, account, mem_gb, ..."
    yield ""
    yield "Sweeps: choose with -m sweeps=NAME"
    for file in sweep_files(everything=False):
        yield from item_lines(file.name, file.question, width)
    yield ""
    yield "Recipes: choose with recipe=NAME"
    for file in recipe_files(DEFAULT_FAMILY):
        yield from item_lines(file.name, file.question, width)
    yield ""
    yield "--cfg job prints the values of a command, --version versions, -m starts a sweep;"
    yield "other flags are Hydra's: --hydra-help."


def group_lines(group: str, values: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield the head of a group, and its knobs with the values in use."""
    yield f"{group.capitalize()}: {GROUPS[group]}"
    for entry in entries().values():
        if entry.group == group:
            value = values.get(entry.name, entry.default)
            yield from item_lines(format_override(entry.name, value), summary_of(entry), width)


def summary_of(entry: Entry) -> str:
    """Return the meaning of a knob with its unit and legal values in brackets."""
    facts = "; ".join(filter(None, (entry.unit, entry.legal)))
    return f"{entry.meaning} [{facts}]" if facts else entry.meaning


def file_lines(files: Iterable[ConfigFile], is_recipe: bool) -> Iterator[str]:
    """Yield a paragraph per sweep or recipe: what is typed for it, its family, and its question."""
    width = terminal_width()
    program = sweep_program()
    if is_recipe:
        yield f"Run a recipe with its key: {program} recipe=ema lr=1e-3"
    else:
        yield f"Run a design with its option: {program} -m sweeps=lr seeds=3 dry_run=true"
    yield ""
    for file in files:
        of_family = "" if file.family == ANY_FAMILY else f"family {file.family}"
        facts = ", ".join(filter(None, (file.kind, of_family)))
        yield f"{file.typed}  ({facts})"
        for text in (file.question, file.cost):
            yield from textwrap.wrap(
                text, width - 4, initial_indent="    ", subsequent_indent="    ", **WHOLE_WORDS
            )


WHOLE_WORDS: Any = {"break_long_words": False, "break_on_hyphens": False}


def item_lines(name: str, text: str, width: int, name_width: int = NAME_WIDTH) -> Iterator[str]:
    """Yield a name and a text that is wrapped in a second column; a long name has its own line."""
    lines = textwrap.wrap(text, width - name_width - 2, **WHOLE_WORDS) or [""]
    if len(name) >= name_width:
        yield f"  {name}"
    else:
        yield f"  {name:<{name_width}}{lines.pop(0)}".rstrip()
    yield from (f"  {'':<{name_width}}{line}" for line in lines)
