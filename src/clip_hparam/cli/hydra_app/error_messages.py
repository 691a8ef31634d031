"""Error messages for users: one sentence with the mistake, the legal values, and what to type."""

import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from clip_hparam.config.knob import suggest
from clip_hparam.config.launcher_options import option_names
from clip_hparam.config.recipe import knobs
from clip_hparam.config.search_options import SearchOptions
from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.records.lock import FolderLockedError

LAUNCHER, SWEEPER = "hydra.launcher", "hydra.sweeper"
WHOLE_NUMBER_ADVICE = {
    "gpus_per_node": "for GPUs of a type write hydra.launcher.gres=gpu:{value}",
    "timeout_min": "write the minutes, as 1440 for a day",
}
"""What to type in place of another value of a launcher's option."""
USER_ERRORS = (
    *(HydraException, OmegaConfBaseException, FrozenInstanceError),
    *(ValueError, FileNotFoundError, FolderLockedError),
)


def user_message(error: BaseException) -> str:
    """Return the sentence for an error; errors of Hydra and OmegaConf are rewritten."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, HydraException) and error.__cause__ is not None:
        text += f"\n{error.__cause__}"
    for pattern, rewrite in REWRITES:
        match = re.search(pattern, text)
        if match:
            return rewrite(match)
    return text


def _unknown_key(match: re.Match[str]) -> str:
    node, _, name = match[1].rpartition(".")
    if node == SWEEPER:
        known = [field.name for field in fields(SearchOptions)]
        return f"unknown key {match[1]}: {suggest(name, known)}"
    if node == LAUNCHER:
        options = suggest(name, option_names())
        return f"unknown key {match[1]}: {options} (hydra/launcher=submitit_slurm)"
    if node == f"{LAUNCHER}.additional_parameters":
        return f"{match[1]} is not set yet: type +{match[1]}=VALUE to pass it to sbatch"
    known = [*knobs(), *(field.name for field in fields(SweepOptions))]
    return f"unknown knob {match[1]}: {suggest(match[1], known)}"


def _unknown_option(match: re.Match[str]) -> str:
    group, _, option = match[1].rpartition("/")
    options = re.findall(r"^\t(\S+)$", match.string, re.MULTILINE)
    return f"unknown {group}={option}: {suggest(option, options)}"


def _wrong_type(match: re.Match[str]) -> str:
    key, _, value = match[1].partition("=")
    if key.startswith(LAUNCHER) and "to Integer" in match[2]:
        advice = WHOLE_NUMBER_ADVICE.get(key.rpartition(".")[2], "write a whole number, or null")
        return f"{match[1]} is no whole number: {advice.format(value=value)}"
    return f"{match[1]}: {match[2]}"


def _ambiguous_option(match: re.Match[str]) -> str:
    return f"{match[1]} gives several values: add -m to sweep over them"


def _unreadable(match: re.Match[str]) -> str:
    return f"an override cannot be read ({match[0].splitlines()[0]}): quote it, 'knob=value'"


REWRITES: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    (r"Could not override '([^']+)'", _unknown_key),
    (r"Key '([^']+)' is not in struct", _unknown_key),
    (r"Could not find '([^']+)'", _unknown_option),
    (r"Error merging override (\S+)\n([^\n]+)", _wrong_type),
    (r"Ambiguous value for argument '([^']+)'", _ambiguous_option),
    (
        r"(no viable alternative|mismatched input|extraneous input|token recognition)[^\n]*",
        _unreadable,
    ),
]
