"""data check: decode all images of a data set or a folder, and list those that cannot be read."""

import argparse
import itertools
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clip_hparam.cli.commands.command import Command, CommandParser, UsageError, emit
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.count import counted

if TYPE_CHECKING:
    from clip_hparam.data.dataset import ImageFiles  # numpy, 0.05 s for every command

MAX_FILES_COMPARED = 10_000_000  # high enough to compare all files with the training set
Facts = dict[str, str]
"""Facts about a data set by name, for people."""
REPORT_SECONDS = 10.0  # between two lines of progress


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", parser_class=CommandParser)
    help_text = "decode each image once, on all cores, and list the unreadable ones"
    check = actions.add_parser("check", help=help_text, description=help_text)
    check.add_argument(
        "words",
        nargs="+",
        metavar="FOLDER | KEY=VALUE",
        help="a folder, or overrides as for sweep.py: data=folder data.root=PATH",
    )
    check.add_argument("--json", action="store_true", help="one JSON value on stdout")


def _run_check(arguments: argparse.Namespace) -> int:
    from clip_hparam.data.folders.image_check import check_files
    from clip_hparam.data.folders.unreadable import how_to_repair

    sets, facts = _requested_sets(arguments.words)
    total = sum(map(len, sets))
    progress = _Progress(total)
    unreadable_by_set = [list(check_files(files, progress.add).values()) for files in sets]
    unreadable = list(itertools.chain(*unreadable_by_set))
    outside = sum(map(len, unreadable_by_set[1:]))
    remedy = f": {how_to_repair(len(unreadable), outside)}" if facts else ""
    summary = (
        f"{len(unreadable)} of {counted(total, 'image')} cannot be read{remedy}"
        if unreadable
        else f"all {counted(total, 'image')} can be read"
    )
    if not sets:
        summary = "all images are arrays in memory: there are no files to check"
    lines = [f"{name}: {value}" for name, value in facts.items()]
    tree = {"images": total, "unreadable": unreadable, "facts": facts}
    emit(arguments, tree, [*lines, *unreadable, summary])
    return ExitCode.WRONG_USE if unreadable else ExitCode.OK


def _requested_sets(words: Sequence[str]) -> tuple[list["ImageFiles"], Facts]:
    """Return the image files of a data set with its facts, or all those below each folder.

    Raises: UsageError for a missing folder, for overrides beside folders, and for no images.
    """
    folders = [word for word in words if "=" not in word]
    if not folders:
        return _sets_of_recipe(words)
    overrides = [word for word in words if "=" in word]
    if overrides:
        raise UsageError(f"{folders[0]} and {overrides[0]}: name folders, or a data set")
    for folder in folders:
        if not Path(folder).is_dir():
            raise UsageError(
                f"{folder} is not a folder: type clip-hparam data check FOLDER, or data=folder"
                " data.root=FOLDER"
            )
    sets = [_files_below(Path(folder).resolve()) for folder in folders]
    if not any(map(len, sets)):
        raise UsageError(
            f"{', '.join(folders)}: no image is there; shards and Parquet files are checked by"
            " clip-hparam data check data=shards data.root=FOLDER (or data=hf_parquet)"
        )
    return sets, {}


def _files_below(root: Path) -> "ImageFiles":
    from clip_hparam.data.file_index import index_folder
    from clip_hparam.data.folders.labelled_folder import image_files

    return image_files(root, index_folder(root))


def _sets_of_recipe(overrides: Sequence[str]) -> tuple[list["ImageFiles"], Facts]:
    """Return the sets of image files of the data set, and facts about it."""
    from clip_hparam.cli.hydra_app.compose import compose_recipe  # lazy: Hydra, 0.3 s
    from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
    from clip_hparam.config.recipe import with_values
    from clip_hparam.data.datasets import load_dataset
    from clip_hparam.data.folders.shared_files import shared_array_notes, shared_file_notes
    from clip_hparam.data.folders.unreadable import file_sets
    from clip_hparam.data.prompts.recipe_prompts import validate_prompt_files
    from clip_hparam.planning.data_facts import check_rows

    try:
        recipe = with_values(compose_recipe(overrides), {"data.on_error": "raise"})
        dataset, facts = load_dataset(recipe.data), dict(check_rows(recipe.data))
        if recipe.data.class_names or recipe.data.templates:
            facts["words in prompts"] = ", ".join(validate_prompt_files(recipe.data))
    except USER_ERRORS as error:
        raise ValueError(user_message(error)) from None
    shared = (*shared_file_notes(dataset, limit=MAX_FILES_COMPARED), *shared_array_notes(dataset))
    for note in (*dataset.notes, *shared):
        print(f"note: {note}", file=sys.stderr)
    return file_sets(dataset), facts


class _Progress:
    """Prints how many files are decoded, at most every REPORT_SECONDS."""

    def __init__(self, total: int) -> None:
        self.total, self.decoded = total, 0
        self.last = time.monotonic()

    def add(self, files: int) -> None:
        self.decoded += files
        if time.monotonic() - self.last > REPORT_SECONDS:
            print(f"{self.decoded:,} of at most {self.total:,} images decoded", file=sys.stderr)
            self.last = time.monotonic()


COMMANDS = (
    Command(
        "data",
        "check that all images of a data set can be read",
        _add_arguments,
        _run_check,
    ),
)
"""`data` has one action."""
