"""The overrides that name the images of a recipe, for messages."""

import shlex

from clip_hparam.config.recipe import Data
from clip_hparam.config.text.override_words import format_override


def format_data(data: Data) -> str:
    """Return what to type to name the images of a data set."""
    words = [f"data={data.name}"]
    if data.root:
        words.append(format_override("data.root", data.root))
    if data.folders == "classes":
        words.append(format_override("data.folders", data.folders))
    if data.subset != Data.subset:
        words.append(format_override("data.subset", data.subset))
    if data.selection_root:
        words += [format_override("data.selection_root", data.selection_root), "data.selection=0"]
    if data.shift_root:
        words.append(f"data.shift={data.shift}")
        words.append(format_override("data.shift_root", data.shift_root))
    return shlex.join(words)
