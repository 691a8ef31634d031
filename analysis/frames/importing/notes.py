"""Footnotes of the table of an imported table's cells: rows, units, pairing, missing results."""

from collections.abc import Iterator

import pandas as pd

from clip_hparam.analysis.frames.labels import format_done
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.config.text.count import counted

MAX_NOTES = 10  # rows that are named one by one


def import_notes(table: TrialTable, name: str, data: pd.DataFrame) -> list[str]:
    """Return the footnotes, the most important first.

    name: of the imported table. data: a row per cell with `cell`, `n`, `asked`, `ci_low`, `why`.
    """
    better = "lower" if table.minimize else "higher"
    return [
        f"Imported table {name}: {counted(len(table.rows), 'row')},"
        f" {counted(len(data), 'different setting')}"
        f" ({import_counts(table)}).",
        f"{table.objective} as in the source, no unit is converted; a {better} value is better.",
        _interval_note(table, data),
        *_row_notes(table.objective, data),
    ]


def import_counts(table: TrialTable) -> str:
    """Return the numbers of rows that are left out, and of duplicates, which are kept."""
    states = ", ".join(f"{count} {state}" for state, count in table.left_out.items())
    counts = {
        f"left out by state ({states})": sum(table.left_out.values()),
        "without any knob left out": table.incomplete,
        f"without {table.seed or 'a seed'} left out": table.unseeded,
        "repeated with their name and left out": table.repeated,
    }
    parts = [f"{count} {what}" for what, count in counts.items() if count]
    named = [f"{name} equals {other}" for name, other in table.twins]
    more = [f"{table.duplicates - len(named)} more"] if table.duplicates > len(named) else []
    listed = f" ({', '.join([*named, *more])})" if named else ""
    kept = f", equal in all but the name, are kept{listed}" if table.duplicates else ""
    duplicates = f"{counted(table.duplicates, 'duplicate')}{kept}"
    renamed = (
        [f"{counted(table.renamed, 'row')} with the name of another, now numbered"]
        if table.renamed
        else []
    )
    return "; ".join([*parts, duplicates, *renamed])


def _interval_note(table: TrialTable, data: pd.DataFrame) -> str:
    if table.seed:
        return (
            f"Mean ± half of the 95 % t interval over {table.seed}; differences are to the first"
            f" row, paired by {table.seed}. Bold: the interval of the difference excludes zero"
            " (Holm-adjusted p over the table: csv)."
        )
    intervals = "Mean ± half of the 95 % t interval over rows of equal knobs"
    single = "One row per cell: no interval"
    advice = "to pair rows, import with --seed COLUMN"
    return f"{intervals if (data['asked'] > 1).any() else single}; no differences: {advice}."


def _row_notes(objective: str, data: pd.DataFrame) -> Iterator[str]:
    """Yield a note for each of the first cells that lack a value or an interval."""
    lacking = data[data["n"] < data["asked"]]
    for _, row in lacking.head(MAX_NOTES).iterrows():
        done = format_done(row["n"], row["asked"])
        yield f"{row['cell']}: {done} rows have {objective}, so there is no mean."
    if len(lacking) > MAX_NOTES:
        more = len(lacking) - MAX_NOTES
        yield f"{counted(more, 'more cell')} without a mean: a row has no {objective}."
    alike = data[(data["n"] == data["asked"]) & (data["n"] > 1) & data["ci_low"].isna()]
    for _, row in alike.head(MAX_NOTES).iterrows():
        yield f"{row['cell']}: {row['why']}."
