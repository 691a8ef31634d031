"""Recipe families: the recipe file that a word such as recipe=llrd names, and its family.

    conf/family/NAME.yaml    chooses the encoder
    conf/recipe/NAME/*.yaml  the recipes of the family

`recipe=llrd` is recipe/<family>/llrd where that file exists, else the user's own recipe/llrd.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hydra._internal.utils import get_args_parser
from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType

from clip_hparam.cli.conf_folder import CONF
from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY
from clip_hparam.design.families import family_of

DEFAULT_RECIPE = "weak_aug"
PRIMARY_RECIPE = "default"
"""Option of the primary config: the default recipe of the default family."""
PUBLISHED_FOLDER = "ft_clip"
"""Folder of the published recipes; their names begin with their family."""

PLAIN_WORD = re.compile(r"(recipe|family)=([\w./-]+)")
Exists = Callable[[str], bool]
"""Returns whether a config file exists; its argument is a path such as recipe/b16/llrd."""


def with_family(words: Sequence[str], exists: Exists) -> list[str]:
    """Return overrides in which recipe=NAME names its file, with the family that the file needs.

    Words with several values (recipe=ema,llrd) stay as they are.

    Raises:
        ValueError: the family and the recipe contradict each other.
    """
    typed = {m[1]: m[2] for word in words if (m := PLAIN_WORD.fullmatch(word))}
    name = typed.get("recipe", "")
    implied = family_of_recipe(name, exists)
    family = typed.get("family", implied or DEFAULT_FAMILY)
    if implied and implied != family:
        raise ValueError(
            f"recipe={name} is of family={implied}, and family={family} is given: leave one of them"
            " out"
        )
    own = f"{family}/{name}" if name and exists(f"recipe/{family}/{name}") else name
    chosen = [f"family={family}"] if implied and "family" not in typed else []
    return [
        part
        for word in words
        for part in ([*chosen, f"recipe={own}"] if word == f"recipe={name}" else [word])
    ]


def with_default_recipe(words: Sequence[str], exists: Exists) -> list[str]:
    """Return `with_family(words)`, where a typed family without a recipe gets its default one."""
    named = with_family(words, exists)
    if any(word.startswith("recipe=") for word in named):
        return named
    default = f"{family_of(named)}/{DEFAULT_RECIPE}"
    added = [f"recipe={default}"] if exists(f"recipe/{default}") else []
    return [
        part
        for word in named
        for part in ([word, *added] if word.startswith("family=") else [word])
    ]


def as_typed(words: Sequence[str]) -> list[str]:
    """Return overrides in which a recipe of the chosen family has no folder: recipe=llrd."""
    folder = f"recipe={family_of(words)}/"
    return [
        word.replace(folder, "recipe=", 1) if word.startswith(folder) else word for word in words
    ]


def family_of_recipe(name: str, exists: Exists) -> str:
    """Return the family of recipe=FOLDER/NAME; empty for a recipe of no family."""
    folder, _, file = name.rpartition("/")
    if name == PRIMARY_RECIPE:
        return DEFAULT_FAMILY
    if folder == PUBLISHED_FOLDER:
        return file.partition("_")[0]
    return folder if folder and exists(f"family/{folder}") else ""


def recipe_names() -> list[str]:
    """Return the names that recipe=NAME takes: those of the miniature, and the published ones."""
    own = (CONF / "recipe" / DEFAULT_FAMILY).glob("*.yaml")
    published = (CONF / "recipe" / PUBLISHED_FOLDER).glob("*.yaml")
    return [
        *sorted(f.stem for f in own),
        *sorted(f"{PUBLISHED_FOLDER}/{f.stem}" for f in published),
    ]


def exists_in_loader(loader: ConfigLoader) -> Exists:
    """Return a test for config files on the search path of a Hydra app."""

    def exists(path: str) -> bool:
        group, _, name = path.rpartition("/")
        return name in loader.get_group_options(group, ObjectType.CONFIG)

    return exists


def typed_words(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of sweep.py with recipes named by their files.

    A single run also gets the default recipe of its family; the sweeper does so for each cell.
    """
    options, _ = get_args_parser().parse_known_args(list(arguments))
    folders = [CONF, *([Path(options.config_dir)] if options.config_dir else [])]
    in_mode = any(word.startswith("hydra.mode=MULTIRUN") for word in options.overrides)
    complete = with_family if options.multirun or in_mode else with_default_recipe

    def exists(path: str) -> bool:
        return any((folder / f"{path}.yaml").is_file() for folder in folders)

    words = complete(arguments, exists)
    if options.config_dir:
        refuse_taken_names(Path(options.config_dir), options.overrides, family_of(words))
    return words


def refuse_taken_names(folder: Path, overrides: Sequence[str], family: str) -> None:
    """Raise ValueError for a chosen file of the user that Hydra does not read.

    A file of this package with the same name comes first. Equal files, as in a copy of conf/, are
    no mistake.
    """
    for group, _, values in (word.lstrip("+").partition("=") for word in overrides):
        for name in values.split(","):
            own = folder / group / f"{name}.yaml"
            shipped = [CONF / group / f"{name}.yaml", CONF / group / family / f"{name}.yaml"]
            taken = next((path for path in shipped if path.is_file()), None)
            if taken and own.is_file() and own.read_bytes() != taken.read_bytes():
                raise ValueError(
                    f"{own} is not read, because {group}={name} is a file of this program: give"
                    " yours another name"
                )


def family_names(loader: ConfigLoader) -> list[str]:
    """Return the names of all families on the search path."""
    return loader.get_group_options("family", ObjectType.CONFIG)


def validate_family(values: str, choices: Mapping[str, str]) -> None:
    """Raise ValueError for a recipe of one family with the encoder of another.

    values: family of the recipe's values. choices: chosen option of each config group. A recipe may
    choose its encoder itself, as recipe/ft_clip/b16 does.
    """
    if values != choices["family"] and choices["encoder"] == DEFAULT_FAMILY:
        raise ValueError(
            f"recipe={choices['recipe']} holds values of family={values}, and the encoder is that"
            f" of family={choices['family']}: add family={values}"
        )
