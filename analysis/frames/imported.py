"""The rows and the cells of an imported table, as parts of the frames."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.frames.importing.cells import (
    MAX_CELLS,
    cell_numbers,
    imported_manifest,
    safe_name,
)
from clip_hparam.analysis.frames.importing.table_files import HEAD_FILE, read_trial_table
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.analysis.frames.trial_table import TrialTable, add_columns

COLUMNS_TAKEN = frozenset(
    (
        *("trial_id", "label", "status", "folder", "seed", "selected_weights"),
        *("epochs.selected", "epochs.last", "git.sha", "git.dirty"),
        *("cell", "changed", "asked", "n", "why", "seconds", "gpu_hours", "sign_agrees", "differs"),
        *("trials", "delta", "images_p", "seeds_needed", "ci_low", "ci_high"),
    )
)  # names in frames and tables that a column of an imported table must not replace
IMPORTED_PREFIX = "imported."
METRIC_OF_OURS = re.compile(r".*\.(raw|ema)\.(selected|last|best)")


class Imported(NamedTuple):
    """An imported table with the manifest of its cells; None where there is none."""

    table: TrialTable | None
    sweep: SweepManifest | None
    problems: list[str]


def read_imported(
    folders: list[Path], sweep_names: set[str], trial_ids: Collection[str]
) -> Imported:
    """Return the imported table of the first folder that has one.

    Problems are a sentence for each table that is not used, and for a table whose cells are not.
    """
    found = [folder for folder in folders if (folder / HEAD_FILE).exists()]
    problems = [f"{folder}: only one imported table can be read at a time" for folder in found[1:]]
    if not found:
        return Imported(None, None, problems)
    folder = found[0]
    try:
        table = read_trial_table(folder)
    except UnreadableError as error:
        return Imported(None, None, [str(error), *problems])
    names = table.rows.index
    if ours := names.intersection(list(trial_ids)).to_list():
        sentence = (
            f"{folder}: {len(ours)} of its names, such as {ours[0]}, are trials of clip-hparam"
        )
        return Imported(None, None, [f"{sentence}: read it without their folder", *problems])
    cells = int(cell_numbers(table).max()) + 1 if len(names) else 0
    if not names.is_unique:
        problems.append(f"{folder}: names of rows repeat, so it has no table: import it again")
    elif cells > MAX_CELLS:
        problems.append(f"{folder}: {cells:,} cells are too many for a table: use figures, summary")
    elif cells:
        name = safe_name(folder.resolve().name, sweep_names)
        return Imported(table, imported_manifest(table, name), problems)
    return Imported(table, None, problems)


def imported_rows(imported: TrialTable | None) -> pd.DataFrame:
    """Return imported rows as done trials. A column called like one of ours gets a prefix."""
    if imported is None:
        return pd.DataFrame()
    names = imported.rows.index
    columns = imported.rows.drop(columns=[imported.seed] if imported.seed else [])
    head = {"trial_id": names, "label": names, "status": "done"}
    if imported.seed:
        head["seed"] = imported.rows[imported.seed]
    rows = add_columns(columns.rename(columns=imported_column), **head)
    return rows.reset_index(drop=True)


def imported_column(name: str) -> str:
    """Return the column of the frames that holds a column of an imported table."""
    is_taken = name in COLUMNS_TAKEN or METRIC_OF_OURS.fullmatch(name)
    return f"{IMPORTED_PREFIX}{name}" if is_taken else name
