"""Check a command of the documentation against the code: verbs, flags, keys, values, files."""

import argparse
import contextlib
import io
import re
from collections.abc import Sequence
from dataclasses import fields

from clip_hparam.cli.reference.entries import entries
from clip_hparam.cli.reference_pages.command_page import command_parsers
from clip_hparam.config.knob import validated
from clip_hparam.config.options.launcher_options import option_names
from clip_hparam.config.options.search_options import SearchOptions
from clip_hparam.config.recipe import knobs
from support.cli import ROOT

FLAGS = {"-m", "--multirun", "-h", "--help", "--version", "--hydra-help", "--info"}
FLAGS_WITH_VALUE = {"--config-dir", "--cfg", "--info"}
FILE_GROUPS = ("recipe", "sweeps", "data", "encoder", "family", "machine")
PLUGIN_GROUPS = ("hydra/launcher", "hydra/sweeper")
DESIGN_KEYS = {"samples", "seeds", "knobs", "base", "steps", "kind", "name", "seed", "resolution"}
IN_EXAMPLES = {"flowers", "small_vit", "csv", "imagenette", "lr_update"}
"""Names of the example package and of the diffs in CONTRIBUTING.md."""
PLACEHOLDER = re.compile(r"[A-Z][A-Z_/]*[A-Z]?[0-9]?")
PLAIN = re.compile(r"-?[\w.+/-]+")
KEY = re.compile(r"([A-Za-z_][\w./]*)=(.*)", re.DOTALL)


def problem_of(words: Sequence[str], own_names: set[str], is_form: bool) -> str:
    """Return what is wrong with a command; empty if nothing is, or another program is called.

    own_names: of files that the page shows. is_form: check only names of commands and flags.
    """
    match list(words):
        case ["python", "sweep.py", *rest] | ["clip-hparam", "sweep", *rest]:
            return sweep_problem(rest, own_names, is_form)
        case ["clip-hparam", "--version"]:
            return ""
        case ["clip-hparam" | "python", *rest] if words[0] == "clip-hparam" or "analysis" in rest:
            return verb_problem(rest[2:] if words[0] == "python" else rest, is_form)
        case ["make", *rest]:
            return make_problem(rest)
    return ""


def verb_problem(words: Sequence[str], is_form: bool) -> str:
    """Return what is wrong with a command of clip-hparam."""
    parsers = command_parsers()
    if not words or words[0] not in parsers:
        return f"no command {' '.join(words[:1])}"
    parser = parsers[words[0]]
    if is_form:
        given = set(re.findall(r"--[\w-]+", " ".join(words)))
        return ", ".join(sorted(given - set(_options(parser))))
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            parser.parse_args(list(words[1:]))
    except SystemExit as ended:
        return said.getvalue() if ended.code else ""
    return ""


def sweep_problem(words: Sequence[str], own_names: set[str], is_form: bool) -> str:
    """Return what is wrong with the flags and overrides of a sweep."""
    problems: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        flag, _, value = word.partition("=")
        if flag in FLAGS_WITH_VALUE:
            if not value and waiting and flag != "--info":
                waiting.pop(0)
        elif word.startswith("-"):
            problems += [] if word in FLAGS else [f"no flag {word}"]
        elif match := KEY.fullmatch(word):
            problems.append(override_problem(match[1], match[2], own_names))
        elif not is_form:
            problems.append(f"{word} is not an override")
    return "; ".join(filter(None, problems))


def override_problem(key: str, value: str, own_names: set[str]) -> str:
    """Return what is wrong with KEY=VALUE: an unknown key, file or value."""
    if key in FILE_GROUPS:
        return _file_problem(key, value, own_names)
    if key in PLUGIN_GROUPS or key in ("hydra.sweeper.design", "hydra.mode"):
        return ""
    if key.startswith("hydra.sweeper.design."):
        return "" if key.split(".")[3] in DESIGN_KEYS else f"no key {key} of a design"
    if key.startswith("hydra.sweeper."):
        known = {field.name for field in fields(SearchOptions)}
        return "" if key.split(".")[2] in known else f"no key {key} of a search"
    if key.startswith("hydra.launcher."):
        return "" if key.split(".")[2] in option_names() else f"no key {key} of a launcher"
    if key not in entries():
        return f"no key {key}"
    return _value_problem(key, value)


def make_problem(words: Sequence[str]) -> str:
    """Return what is wrong with the targets and variables of a call of make."""
    text = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z][\w%-]*):", text, re.MULTILINE)
    variables = set(re.findall(r"(?:\$\(|^)([A-Z]+)", text, re.MULTILINE)) | {"PYTHON"}
    wrong = []
    for word in words:
        name = word.partition("=")[0]
        forms = (target.replace("%", "[a-z_]+|NAME") for target in targets)
        is_known = name in variables or any(re.fullmatch(form, name) for form in forms)
        wrong += [] if is_known or word == "-n" else [f"no target {word}"]
    return ", ".join(wrong)


def _options(parser: argparse.ArgumentParser) -> list[str]:
    nested = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    inner = [
        one for action in nested for child in action.choices.values() for one in _options(child)
    ]
    return [option for action in parser._actions for option in action.option_strings] + inner


def _file_problem(group: str, value: str, own_names: set[str]) -> str:
    for name in value.split(","):
        is_free = PLACEHOLDER.fullmatch(name) or not PLAIN.fullmatch(name)
        if is_free or name in own_names | IN_EXAMPLES | {"null"}:
            continue
        folder = ROOT / "conf" / group
        if not [*folder.glob(f"{name}.yaml"), *folder.glob(f"*/{name}.yaml")]:
            return f"no file {group}={name}"
    return ""


def _value_problem(key: str, value: str) -> str:
    if key not in knobs() or not all(PLAIN.fullmatch(one) for one in value.split(",")):
        return ""
    for one in value.split(","):
        if not PLACEHOLDER.fullmatch(one):
            try:
                validated(key, _typed(one), knobs()[key])
            except ValueError as error:
                return str(error)
    return ""


def _typed(text: str) -> int | float | str:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text
