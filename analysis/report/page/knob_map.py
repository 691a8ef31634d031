"""Mean of each pair of levels of two knobs, and whether it differs from that of the selected pair.

A pair is distinguished from the selected one if the paired difference excludes zero after
Holm's correction over all pairs.
"""

from typing import Any

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import Replicates, first_recorded
from clip_hparam.analysis.evidence.searches.importance import axis_positions
from clip_hparam.analysis.frames.frame import CELL_KNOBS, FINGERPRINT_KNOBS
from clip_hparam.analysis.frames.importing.cells import format_level
from clip_hparam.analysis.report.page.json_values import number
from clip_hparam.analysis.stats.intervals import estimate, holm, paired_differences
from clip_hparam.analysis.tables.conclusions import SIGNIFICANCE_LEVEL

MIN_CELLS = 4


def knob_map(
    cells: list[Replicates], chosen: Replicates | None, ablation: Ablation
) -> dict[str, Any] | None:
    """Return the pairs of levels of a sweep in which exactly two knobs vary, else None."""
    levels = _levels(cells, ablation)
    if levels.shape[1] != 2 or len(levels) < MIN_CELLS or levels.duplicated().any():
        return None
    x, y = levels.columns
    axes = {name: _ordered(levels[name]) for name in (x, y)}
    if min(map(len, axes.values())) < 2:
        return None
    apart = _told_apart(cells, chosen)
    pairs = [
        {
            "x": axes[x].index(format_level(levels[x].iloc[row])),
            "y": axes[y].index(format_level(levels[y].iloc[row])),
            "mean": number(cell.values.mean()) if cell.complete else None,
            "n": int(cell.values.notna().sum()),
            "asked": len(cell.values),
            "chosen": cell is chosen,
            "apart": apart[row],
        }
        for row, cell in enumerate(cells)
    ]
    names = [str(name) for name in (x, y)]
    return {"knobs": names, "levels": [list(axes[x]), list(axes[y])], "pairs": pairs}


def _levels(cells: list[Replicates], ablation: Ablation) -> pd.DataFrame:
    """Return the knobs that vary between the cells, a row per cell."""
    rows = pd.DataFrame([first_recorded(cell.trials) for cell in cells])
    if rows.empty or len(rows.dropna(how="all")) < len(cells):
        return pd.DataFrame()
    names = list(ablation.knobs) or [name for name in CELL_KNOBS if name in rows]
    derived = (*FINGERPRINT_KNOBS, "data.epoch_images")
    known = [name for name in names if name in rows and name not in derived]
    return rows[[name for name in known if rows[name].astype(str).nunique() > 1]]


def _ordered(values: pd.Series) -> list[str]:
    """Return the levels as texts in the order of the axis."""
    positions = axis_positions(values)
    pairs = {
        format_level(value): position for value, position in zip(values, positions, strict=True)
    }
    return sorted(pairs, key=lambda level: pairs[level])


def _told_apart(cells: list[Replicates], chosen: Replicates | None) -> list[bool | None]:
    """Return whether each cell differs from the chosen one; None where this cannot be tested."""
    if chosen is None:
        return [None] * len(cells)
    p_values = []
    for cell in cells:
        if cell is chosen or not cell.complete:
            p_values.append(float("nan"))
            continue
        p_values.append(estimate(paired_differences(cell.values, chosen.values)).p)
    return [None if p != p else p < SIGNIFICANCE_LEVEL for p in holm(p_values)]
