"""docs/reference/designs.md: the sweeps and recipes that can be run by name."""

from collections.abc import Iterable

from clip_hparam.cli.reference.config_files import ConfigFile, recipe_files, sweep_files
from clip_hparam.cli.reference_pages.markdown import code, page, table

INTRODUCTION = """\
What `python sweep.py -m sweeps=NAME` and `python sweep.py recipe=NAME` take, from the heads of
the files in [sweeps/](../../sweeps) and [conf/recipe/](../../conf/recipe). `clip-hparam sweeps`
and `clip-hparam recipes` print the same lists. [Your own design and recipe](../designs.md) shows
how to write one."""


def design_page() -> str:
    """Return the page."""
    families = dict.fromkeys(file.family for file in recipe_files())
    recipes = (f"### Family {name}\n\n{_table(recipe_files(name))}" for name in families)
    sweeps = _table(sweep_files(), kinds=True)
    return page(
        "Sweeps and recipes", INTRODUCTION, "## Sweeps", sweeps, "## Recipes", "\n\n".join(recipes)
    )


def _table(files: Iterable[ConfigFile], kinds: bool = False) -> str:
    rows = (
        [code(file.typed), *([file.kind] if kinds else []), f"{file.question} {file.cost}".strip()]
        for file in files
    )
    return table(["type", *(["kind"] if kinds else []), "what it is for"], rows)
