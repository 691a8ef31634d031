"""The keys of `hydra.launcher` with their meaning, default and unit, and the launchers."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any, NamedTuple

from clip_hparam.cli.reference.help_page import item_lines, terminal_width
from clip_hparam.config.knob import suggest
from clip_hparam.config.options.launcher_options import OPTION_OF_PARAMETER, LauncherOptions
from clip_hparam.config.text.override_words import format_override, sweep_program

GROUP = "launcher"
PREFIX = "hydra.launcher."
LAUNCHERS = {
    "workers": "processes on this computer, which is the default",
    "inline": "one trial after another in the process of the command, for debugging",
    "submitit_slurm": "Slurm job arrays, with the keys below",
    "submitit_local": "as workers; it takes the keys of submitit_slurm and does not use them",
}
"""What hydra/launcher=NAME can be."""
SBATCH_OPTIONS = {key: name for name, key in OPTION_OF_PARAMETER.items()}
NOT_SBATCH = ("array_parallelism", "signal_delay_s", "max_num_timeout", "setup", "srun_args")
OTHERS_NOT_SBATCH = ("additional_parameters", "python")


class LauncherKey(NamedTuple):
    """A key: `sbatch` is the option of sbatch that it becomes; empty for keys that are ours."""

    name: str
    default: Any
    unit: str
    meaning: str
    sbatch: str


def launcher_keys() -> list[LauncherKey]:
    """Return the keys of submitit_slurm in the order of its options."""
    return [
        LauncherKey(
            one.name,
            {} if one.default is MISSING else one.default,
            one.metadata["unit"],
            one.metadata["help"],
            _sbatch(one),
        )
        for one in fields(LauncherOptions)
    ]


def find_launcher_keys(name: str) -> list[LauncherKey] | None:
    """Return all keys for "launcher", one for "hydra.launcher.KEY", None for any other name.

    Raises:
        ValueError: there is no such key.
    """
    if name in (GROUP, PREFIX.rstrip(".")):
        return launcher_keys()
    if not name.startswith(PREFIX):
        return None
    key = name.removeprefix(PREFIX)
    known = {one.name: one for one in launcher_keys()}
    if key not in known:
        raise ValueError(f"hydra.launcher has no key {key}: {suggest(key, known)}")
    return [known[key]]


def launcher_lines(keys: list[LauncherKey]) -> Iterator[str]:
    """Yield the page about keys of the launcher; about all of them, with the launchers."""
    width = terminal_width()
    if len(keys) > 1:
        yield "Launchers: where the trials of a sweep run, chosen by hydra/launcher=NAME"
        for name, meaning in LAUNCHERS.items():
            yield from item_lines(name, meaning, width)
        yield ""
    yield f"Launcher: what a Slurm job asks for, typed as {PREFIX}KEY=VALUE"
    for key in keys:
        facts = "; ".join(filter(None, (key.unit, key.sbatch and f"sbatch {key.sbatch}")))
        text = f"{key.meaning} [{facts}]" if facts else key.meaning
        yield from item_lines(format_override(key.name, key.default), text, width)
    yield ""
    yield "Type"
    yield f"  {sweep_program()} -m lr=1e-3,6e-3 hydra/launcher=submitit_slurm \\"
    example = "partition" if len(keys) > 1 else keys[0].name
    yield f"      {PREFIX}{example}=VALUE dry_run=true"


def _sbatch(option: Field[Any]) -> str:
    if option.name in (*NOT_SBATCH, *OTHERS_NOT_SBATCH):
        return ""
    return f"--{SBATCH_OPTIONS.get(option.name, option.name).replace('_', '-')}"
