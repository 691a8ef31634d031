"""Check the command line before Hydra reads it, and report all of its mistakes at once."""

import re
import shlex
import sys
from argparse import Action
from collections import Counter
from collections.abc import Sequence

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.types import Override

from clip_hparam.cli.hydra_app.grammar.keys import GROUPS, is_text, key_fields
from clip_hparam.cli.hydra_app.grammar.swept_keys import several_settings
from clip_hparam.cli.hydra_app.grammar.values import word_mistakes
from clip_hparam.cli.hydra_app.grammar.words import parse_word, readable
from clip_hparam.config.knob import suggest
from clip_hparam.config.text.override_words import format_override
from clip_hparam.config.text.synonyms import suggest_key

ADD_M = "add -m to sweep over them"
MULTIRUN = ("-m", "--multirun", "hydra.mode=MULTIRUN")
PASSED_TO_HYDRA = ("--shell-completion", "-sc", "--hydra-help", "--version")
"""Options with which the command line goes to Hydra unchanged."""
WITHOUT_EFFECT = {
    "hydra.sweep": "records go to machine.runs",
    "hydra.run": "records go to machine.runs",
    "hydra.output_subdir": "records go to machine.runs",
    "hydra.job": "a trial has its id, and a sweep the name of its design",
    "hydra.verbose": "each trial writes runs/<trial id>/log.txt",
    "hydra.job_logging": "each trial writes runs/<trial id>/log.txt",
    "hydra.hydra_logging": "each trial writes runs/<trial id>/log.txt",
}
"""Settings of Hydra that this program does not use, and what it does instead."""


def prepare_arguments(argv: Sequence[str]) -> list[str]:
    """Return the arguments of sweep.py for Hydra: options first, texts quoted where necessary.

    Overrides that are repeated or have no effect are reported on stderr.

    Raises:
        ValueError: words that are not overrides, or have a wrong key or value; one sentence each.
    """
    if any(word in PASSED_TO_HYDRA for word in argv):
        return list(argv)
    options, words = _split_options(argv)
    overrides = read_overrides(words, is_sweep=any(word in MULTIRUN for word in argv))
    _note_repeated(overrides)
    for override in overrides:
        _note_without_effect(override)
    return [*options, *(str(override.input_line) for override in overrides)]


def read_overrides(words: Sequence[str], *, is_sweep: bool, advice: str = ADD_M) -> list[Override]:
    """Return the overrides in these words, with texts quoted as Hydra's grammar needs it.

    advice: what to type in place of several values, {word}, where there is no sweep.

    Raises:
        ValueError: words that are not overrides, or have a wrong key or value; one sentence each.
    """
    _refuse_split_words(words)
    overrides, mistakes = _parse_words(words)
    mistakes += word_mistakes(overrides)
    several = [o for o in overrides if o.is_sweep_override()]
    if is_sweep:
        mistakes += [several_settings(o) for o in several if o.is_hydra_override()]
    else:
        mistakes += [_several_values_message(o, advice) for o in several]
    if mistakes:
        raise ValueError("\n".join(dict.fromkeys(mistakes)))
    return overrides


def _split_options(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return Hydra's options with their values, and the overrides; options may stand anywhere.

    Raises:
        ValueError: an unknown option, such as --lr.
    """
    actions = get_args_parser()._option_string_actions
    options: list[str] = []
    words: list[str] = []
    remaining = list(argv)
    while remaining:
        word = remaining.pop(0)
        name, equals, _ = word.partition("=")
        if not word.startswith("-") or re.match(r"-\d", word):
            words.append(word)
            continue
        action = next((a for text, a in actions.items() if text == name), None)
        if action is None:
            following = remaining[:1] if not equals else []
            raise ValueError(_unknown_option_message(word, following, list(actions)))
        options.append(word)
        is_followed = bool(remaining) and not equals
        if is_followed and (action.nargs is None or _is_optional_value(action, remaining[0])):
            options.append(remaining.pop(0))
    return options, words


def _is_optional_value(action: Action, word: str) -> bool:
    """Return whether a word is the value of an option that may have one."""
    return action.nargs == "?" and not word.startswith("-") and "=" not in word


def _unknown_option_message(word: str, following: Sequence[str], options: list[str]) -> str:
    """Return the sentence about a word such as --lr=1e-3, or --lr with the value after it."""
    name, _, value = word.lstrip("-").partition("=")
    key = name.replace("-", "_")
    value = value or next((text for text in following if not text.startswith("-")), "VALUE")
    known = [*key_fields(), *GROUPS]
    meant = re.search(r"did you mean (\S+?)\??( or|$)", suggest_key(key, known))
    if key in known or meant:
        right = key if key in known else meant[1]  # type: ignore[index]
        override = shlex.quote(f"{right}={value}")
        return f"{word} is not an option: overrides have no dashes, type {override}"
    return f"{word} is not an option of sweep.py: {suggest(word, options)}"


def _refuse_split_words(words: Sequence[str]) -> None:
    """Raise ValueError for words that a shell has divided, such as lr=1e-3, 3e-3 or lr = 1e-3."""
    _refuse_expanded_braces(words)
    for index, word in enumerate(words):
        is_override = "=" in word.lstrip("=")
        if word.startswith("~") or (is_override and not _is_split_pair(word, words[index + 1 :])):
            continue
        before = words[index - 1] if index else ""
        key, _, raw = before.partition("=")
        if before.endswith(","):
            raise ValueError(
                f"{before} {word} has a space between levels: type {shlex.quote(before + word)}"
            )
        if raw and is_text(key.lstrip("+")):
            whole = shlex.quote(format_override(key, f"{raw} {word}"))
            raise ValueError(f"{before} {word} is read as two words: type {whole}")
        name = word.strip(":=")
        if not name:
            raise ValueError(
                f"{shlex.quote(word)} is not an override: type KEY=VALUE, as in lr=1e-3"
            )
        if name in key_fields():
            value = next((text for text in words[index + 1 :] if text != "="), "VALUE").lstrip("=")
            raise ValueError(f"{word} is not an override: type {shlex.quote(f'{name}={value}')}")
        raise ValueError(f"{shlex.quote(word)} is not an override: type KEY=VALUE, as in lr=1e-3")


def _refuse_expanded_braces(words: Sequence[str]) -> None:
    """Raise ValueError for key=a:1 key=b:2: a shell expands key={a:1,b:2} to these two words."""
    by_key: dict[str, list[str]] = {}
    for word in words:
        key, _, value = word.partition("=")
        if re.match(r"\w+:", value):
            by_key.setdefault(key, []).append(value)
    for key, values in by_key.items():
        if len(values) > 1:
            whole = shlex.quote(f"{key}={{{','.join(values)}}}")
            raise ValueError(f"a shell has taken the braces of {key} apart: type {whole}")


def _is_split_pair(word: str, following: Sequence[str]) -> bool:
    """Return whether a word ends with = and the next word is its value."""
    return word.endswith("=") and bool(following) and "=" not in following[0]


def _parse_words(words: Sequence[str]) -> tuple[list[Override], list[str]]:
    """Return the parsed overrides, and the sentences about the words that cannot be read."""
    overrides: list[Override] = []
    mistakes: list[str] = []
    for word in words:
        try:
            overrides.append(parse_word(readable(word)))
        except ValueError as error:
            mistakes.append(str(error))
    return overrides, mistakes


def _several_values_message(override: Override, advice: str) -> str:
    word, key = str(override.input_line), override.key_or_group
    raw = word.partition("=")[2]
    as_text = shlex.quote(format_override(key, raw))
    otherwise = f", or type {as_text} for one text" if is_text(key) else ""
    return f"{word} gives several values: {advice.format(word=shlex.quote(word))}{otherwise}"


def _note_repeated(overrides: Sequence[Override]) -> None:
    """Print which of several overrides of one key holds; swept ones are refused elsewhere."""
    last = {o.key_or_group: str(o.input_line) for o in overrides}
    counts = Counter(o.key_or_group for o in overrides if not o.is_hydra_override())
    swept = {o.key_or_group for o in overrides if o.is_sweep_override()}
    for key, count in counts.items():
        if count > 1 and key not in swept:
            print(f"{key} is given {count} times: {last[key]} holds", file=sys.stderr)


def _note_without_effect(override: Override) -> None:
    """Print that a setting of Hydra has no effect here."""
    key = override.key_or_group.replace("/", ".")
    for prefix, instead in WITHOUT_EFFECT.items():
        if key == prefix or key.startswith(f"{prefix}."):
            print(f"{override.input_line} has no effect: {instead}", file=sys.stderr)
