"""Error messages for users: one sentence with the mistake, the legal values, and what to type."""

import re
import shlex
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from glob import escape
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from clip_hparam.cli.conf_folder import CONF
from clip_hparam.cli.hydra_app.families import recipe_names
from clip_hparam.cli.hydra_app.grammar.keys import key_fields, unknown_key
from clip_hparam.cli.hydra_app.grammar.values import value_mistakes
from clip_hparam.config.knob import suggest
from clip_hparam.config.text.override_words import format_override
from clip_hparam.config.text.synonyms import suggest_key
from clip_hparam.design.paper_ladder import PAPER_V100_HOURS
from clip_hparam.records.lock import FolderLockedError

KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
WHOLE_NUMBER_ADVICE = {
    "gpus_per_node": "for GPUs of a type write hydra.launcher.gres=gpu:{value}",
    "timeout_min": "write the minutes, as 1440 for a day",
}
"""What to type in place of another value of a launcher's option."""
NO_PACKAGE = "{} needs `# @package _global_` as its first line: add it"
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
    if isinstance(error, (HydraException, OmegaConfBaseException)):
        return " ".join(text.partition("\nSee https")[0].split())
    return text


def _unknown_key(match: re.Match[str]) -> str:
    return unknown_key(match[1])


def _unknown_option(match: re.Match[str]) -> str:
    group, _, option = match[1].rpartition("/")
    options = re.findall(r"^\t(\S+)$", match.string, re.MULTILINE)
    options += recipe_names() if group == "recipe" else []
    nested = [name for name in _options_below(group) if name.rpartition("/")[2] == option]
    hint = f"did you mean {' or '.join(nested)}?" if nested else suggest(option, options)
    return f"unknown {group}={option}: {_own_file(group, option) or hint}"


def _own_file(group: str, option: str) -> str:
    """Return what to type for a file of the user in a folder of the current one; "" for none."""
    for path in sorted(Path().glob(f"*/{escape(f'{group}/{option}')}.yaml")):
        folder = path.parts[0]
        return f"for {path} type --config-dir {shlex.quote(folder)} before {group}={option}"
    return ""


def _options_below(group: str) -> list[str]:
    """Return the options of a group of this package that lie in folders, such as ft_clip/b16."""
    folder = CONF / group
    paths = sorted(folder.glob("*/**/*.yaml"))
    return [path.relative_to(folder).with_suffix("").as_posix() for path in paths]


def _moved_parent(match: re.Match[str]) -> str:
    return (
        f"{match[1]} inherits from recipe/{match[2]}, which is now in a family: write"
        f" /recipe/tiny/{match[2]} in its defaults"
    )


def _wrong_type_in_file(match: re.Match[str]) -> str:
    return f"{match[1]}: {match[3]}: {match[2]}"


def _code_to_run(match: re.Match[str]) -> str:
    return f"{match[1]} is code, and keys of Hydra take none: leave it out; nothing of it was run"


def _wrong_type(match: re.Match[str]) -> str:
    key, _, value = match[1].partition("=")
    if "ListConfig" in match[2]:
        return f"{match[1]}: {key} is a list, type {shlex.quote(format_override(key, [value]))}"
    if key.startswith("hydra.launcher") and "to Integer" in match[2]:
        advice = WHOLE_NUMBER_ADVICE.get(key.rpartition(".")[2], "write a whole number, or null")
        return f"{match[1]} is not a whole number: {advice.format(value=value)}"
    kind = re.search(r"could not be converted to (\w+)", match[2])
    if kind and kind[1] in KINDS:
        return f"{match[1]} is not {KINDS[kind[1]]}"
    return f"{match[1]}: {match[2]}"


def _wrong_value_in_file(match: re.Match[str]) -> str:
    key, value = match["key"], match["value"]
    mistakes = list(value_mistakes(key, [value])) if key in key_fields() else []
    return f"{match['file']}: {(mistakes or [f'{key}={value} is of a wrong type'])[0]}"


def _unknown_key_in_file(match: re.Match[str]) -> str:
    """Return the sentence about a key of a file; most often its first line is missing."""
    file, key = match["file"], match["key"]
    if key == file.partition("/")[0]:
        return NO_PACKAGE.format(file)
    full = re.search(r"full_key: (\S+)", match.string)
    return f"{file}: {unknown_key(full[1] if full else key)}"


def _no_package(match: re.Match[str]) -> str:
    return NO_PACKAGE.format(match[1])


def _unknown_reference(match: re.Match[str]) -> str:
    hint = suggest_key(match[1], key_fields())
    return f"a design or an option refers to ${{{match[1]}}}, which is not a knob: {hint}"


def _no_config_folder(match: re.Match[str]) -> str:
    return f"{match[1]} is not a folder: type --config-dir FOLDER, which holds sweeps/ or recipe/"


def _unreadable(match: re.Match[str]) -> str:
    return f"an override cannot be read ({match[0].splitlines()[0]}): quote it, 'knob=value'"


REWRITES: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    (r"In '([^']+)': Could not override '[^']+@", _no_package),
    (r"In '([^']+)': Invalid Defaults List override [^\n]+\nNo earlier [^\n]+@", _no_package),
    (r"Could not override '([^']+)'", _unknown_key),
    (r"Key '([^']+)' is not in struct", _unknown_key),
    (r"Target '([^']+)' is blocklisted", _code_to_run),
    (rf"In '([^']+)': Could not load 'recipe/({'|'.join(PAPER_V100_HOURS)})'", _moved_parent),
    (r"Could not find '([^']+)'", _unknown_option),
    (r"Error merging override ([^\n]+)\n([^\n]+)", _wrong_type),
    (
        r"In '(?P<file>[^']+)': ConfigKeyError[^\n]*\nKey '(?P<key>[^']+)' not in",
        _unknown_key_in_file,
    ),
    (
        r"In '(?P<file>[^']+)': ValidationError[^\n]*\nValue '(?P<value>.*)' of type[^\n]*\n"
        r"\s+full_key: (?P<key>\S+)",
        _wrong_value_in_file,
    ),
    (r"In '([^']+)': \w+ raised[^\n]*\n([^\n]*)(?:\n.*)*?full_key: (\S+)", _wrong_type_in_file),
    (r"Additional config directory '([^']+)' not found", _no_config_folder),
    (r"Interpolation key '([^']+)' not found", _unknown_reference),
    (
        r"(no viable alternative|mismatched input|extraneous input|token recognition)[^\n]*",
        _unreadable,
    ),
]
