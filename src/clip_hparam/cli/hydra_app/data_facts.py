"""Print facts about the images of a plan: sets of each root and subset, each note once."""

from collections.abc import Iterable

from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.data.datasets import dataset_spec
from clip_hparam.data.prompts.recipe_prompts import prompt_notes
from clip_hparam.planning.data_facts import data_notes, data_rows, epoch_notes, validate_images


def print_plan_facts(recipes: Iterable[Recipe]) -> None:
    """Print facts about the images of resolved recipes to stderr."""
    first_of_root: dict[tuple[str, ...], Data] = {}
    notes: dict[str, None] = {}
    planned = list(recipes)
    for recipe in planned:
        notes.update(dict.fromkeys(prompt_notes(recipe)))
    for data in dict.fromkeys(recipe.data for recipe in planned):
        first_of_root.setdefault((data.name, data.root, data.subset), data)
        notes.update(dict.fromkeys([*data_notes(data), *epoch_notes(data)]))
    for data in first_of_root.values():
        _print_rows(data)
    _print_notes(notes)


def print_search_facts(data: Data) -> None:
    """Print facts about the images of a search, whose recipes are not resolved yet.

    Raises: ValueError for unreadable images, as `resolve` does.
    """
    _print_rows(data)
    _print_notes(data_notes(data))


def print_trial_notes(recipe: Recipe) -> None:
    """Print the notes that are not in the log of the trial."""
    data = recipe.data
    _print_notes([*validate_images(data), *epoch_notes(data), *prompt_notes(recipe)])


def _print_rows(data: Data) -> None:
    if dataset_spec(data.name).layout:
        for name, value in data_rows(data):
            print_wrapped(f"{name}: {value}", to_stderr=True)


def _print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        print_wrapped(f"note: {note}", to_stderr=True)
