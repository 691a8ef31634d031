"""Cells of an imported table: rows with equal knobs, which are replicates of each other."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.records.manifests.manifest import ManifestCell, SweepManifest

IMPORTED_KIND = "imported"  # kind of the manifest that stands for an imported table
MISSING_LEVEL, ONLY_CELL = "(missing)", "all rows"
MAX_CELLS = 2_000  # a table with more rows is of no use


def cell_numbers(table: TrialTable) -> pd.Series:
    """Return the number of each row's cell, by first appearance.

    Without a knob each row is a cell of its own, or all are one if there are seeds.
    """
    if table.knobs:
        groups = table.rows.groupby(table.knobs, dropna=False, sort=False)
        return groups.ngroup()
    numbers = np.zeros(len(table.rows)) if table.seed else np.arange(len(table.rows))
    return pd.Series(numbers.astype(int), index=table.rows.index)


def cell_labels(table: TrialTable) -> list[str]:
    """Return a label per cell, "lr=0.001,aug=weak", of the knobs that vary; all differ."""
    firsts = table.rows[~cell_numbers(table).duplicated().to_numpy()]
    if not table.knobs:
        return [ONLY_CELL] if table.seed else [str(name) for name in firsts.index]
    several = [knob for knob in table.knobs if firsts[knob].nunique(dropna=False) > 1]
    levels = firsts[several or table.knobs]
    labels = [
        ",".join(f"{knob}={format_level(level)}" for knob, level in zip(levels, row, strict=True))
        for row in levels.itertuples(index=False)
    ]
    counts = Counter(labels)
    return [f"{label} #{n}" if counts[label] > 1 else label for n, label in enumerate(labels)]


def format_level(value: Any) -> str:
    """Return a level without loss: 64, 1e-05, weak; "(missing)" if there is none."""
    if value is None or value is pd.NA or value != value:
        return MISSING_LEVEL
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return str(value)


def imported_manifest(table: TrialTable, name: str) -> SweepManifest:
    """Return a manifest whose cells are those of the table; the names of rows are trial ids.

    Rows of one seed in several cells are paired. Without seeds no two rows are: each has a number
    of its own.
    """
    numbers = cell_numbers(table).to_numpy()
    seeds = table.rows[table.seed].to_list() if table.seed else range(len(table.rows))
    trials: list[dict[int, str]] = [{} for _ in range(int(numbers.max(initial=-1)) + 1)]
    for number, seed, trial_id in zip(numbers, seeds, table.rows.index, strict=True):
        trials[number].setdefault(int(seed), str(trial_id))
    cells = zip(cell_labels(table), trials, strict=True)
    ordered = [ManifestCell(label, (), dict(sorted(by_seed.items()))) for label, by_seed in cells]
    sweep_id = f"{IMPORTED_KIND}-{name}"
    return SweepManifest(sweep_id, name, IMPORTED_KIND, "", tuple(ordered), title=name)


def validate_seeds(table: TrialTable, duplicated: Sequence[bool]) -> None:
    """Check that no seed is in a cell twice, except in rows that are duplicates.

    Raises:
        ValueError: two rows of a cell have one seed and differ.
    """
    keys = pd.DataFrame({"cell": cell_numbers(table), table.seed: table.rows[table.seed]})
    repeated = keys.duplicated().to_numpy() & ~np.asarray(duplicated, dtype=bool)
    if repeated.any():
        second = int(repeated.argmax())
        same = (keys == keys.iloc[second]).all(axis=1).to_numpy()
        names = table.rows.index[same][:2]
        raise ValueError(
            f"{names[0]} and {names[-1]} have equal knobs and {table.seed}"
            f" {keys.iloc[second][table.seed]}: name the knob in which they differ with --knob, or"
            " leave --seed out to count them as rows without pairs"
        )


def cell_means(table: TrialTable) -> TrialTable:
    """Return a row per cell with the means over its seeds; NaN if a row of the cell has no value.

    Without seeds the table is returned unchanged.
    """
    if not table.seed or table.rows.empty:
        return table
    numbers = cell_numbers(table)
    once = ~pd.DataFrame({"cell": numbers, "seed": table.rows[table.seed]}).duplicated().to_numpy()
    rows, groups = table.rows[once], numbers[once].to_numpy()
    firsts = rows[~pd.Series(groups).duplicated().to_numpy()][table.knobs].reset_index(drop=True)
    means = rows[table.metrics].groupby(groups).mean(skipna=False)
    averaged = pd.concat([firsts, means.reset_index(drop=True)], axis="columns")
    labelled = averaged.set_axis(cell_labels(table), axis="index")
    return table._replace(rows=labelled, seed="", averaged=len(rows))


def safe_name(folder_name: str, taken: set[str]) -> str:
    """Return the name of the folder as a name of tables and files that no sweep has."""
    name = re.sub(r"[^\w.=-]", "_", folder_name) or IMPORTED_KIND
    name = name if re.match(r"\w", name) else f"{IMPORTED_KIND}{name}"
    while name in taken:
        name = f"{name}-{IMPORTED_KIND}"
    return name
