"""The sweeps and recipes that can be run, with the question and the cost that their files state.

A file opens with comments: its command, for a recipe its cost and expected number, and what it is
for. They are read as text; no YAML is parsed.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.cli.conf_folder import CONF
from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY

COMMAND = re.compile(r"\b(sweep\.py|make) ")
SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[\"A-Z])")
COST = re.compile(r"(Costs?\b|Cost:|Expected number)")
KEY = re.compile(r"^ *(kind): *([^#\n]+)", re.MULTILINE)
PUBLISHED_FOLDER = "ft_clip"
NOT_SHOWN = re.compile(r"tune_|landscape$")
"""Sweeps behind the values of the recipes; listed with --all only."""


class ConfigFile(NamedTuple):
    """A sweep or a recipe.

    typed: the overrides that choose it. family: recipe family, "any" for a sweep. kind: of a sweep.
    question: what it is for, one sentence. cost: cost and expected number of a recipe.
    """

    name: str
    typed: str
    family: str
    kind: str
    question: str
    cost: str

    def to_dict(self) -> dict[str, Any]:
        return self._asdict()


def sweep_files(everything: bool = True) -> list[ConfigFile]:
    """Return the sweeps by name; without `everything` those that a question of a user is about."""
    paths = sorted((CONF / "sweeps").glob("*.yaml"))
    return [_sweep(path) for path in paths if everything or not NOT_SHOWN.match(path.stem)]


def recipe_files(family: str | None = None) -> list[ConfigFile]:
    """Return the recipes of all families, or of one; the miniature's come first.

    Raises:
        ValueError: there is no such family.
    """
    found = [_recipe(path) for path in sorted((CONF / "recipe").glob("*/*.yaml"))]
    recipes = sorted(found, key=lambda recipe: recipe.family != DEFAULT_FAMILY)
    families = dict.fromkeys(recipe.family for recipe in recipes)
    if family is not None and family not in families:
        raise ValueError(f"no family is called {family}: choose from {', '.join(families)}")
    return [recipe for recipe in recipes if family in (None, recipe.family)]


def read_header(path: Path) -> tuple[str, str]:
    """Return the question and the cost in the comments at the start of a file."""
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line.lstrip("# ").strip()
        if not text.startswith("@package") and not (COMMAND.search(text) and not lines):
            lines.append(text)
    sentences = SENTENCE_END.split(" ".join(lines))
    cost = [sentence for sentence in sentences if COST.match(sentence)]
    others = [sentence for sentence in sentences if not COST.match(sentence)]
    return others[0] if others else "", " ".join(cost)


def _sweep(path: Path) -> ConfigFile:
    question, _ = read_header(path)
    keys = dict(KEY.findall(path.read_text(encoding="utf-8")))
    family = DEFAULT_FAMILY if path.stem.startswith("tune_") else "any"
    kind = keys.get("kind", "").strip()
    return ConfigFile(path.stem, f"-m sweeps={path.stem}", family, kind, question, "")


def _recipe(path: Path) -> ConfigFile:
    question, cost = read_header(path)
    folder, name = path.parent.name, path.stem
    if folder == PUBLISHED_FOLDER:
        family, typed = name.partition("_")[0], f"recipe={folder}/{name}"
        return ConfigFile(f"{folder}/{name}", typed, family, "", question, cost)
    chosen = "" if folder == DEFAULT_FAMILY else f"family={folder} "
    return ConfigFile(name, f"{chosen}recipe={name}", folder, "", question, cost)
