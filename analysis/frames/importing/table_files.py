"""Write and read an imported table: a folder with `study.json` and `rows.parquet`.

`study.json` holds the roles of the columns and the counts of rows that were left out.
"""

import hashlib
from pathlib import Path

import pandas as pd

from clip_hparam.analysis.frames.json_files import UnreadableError, read_record_json
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.records.atomic import utc_timestamp, write_atomic, write_json
from clip_hparam.records.record import SCHEMA_VERSION

HEAD_FILE, ROWS_FILE = "study.json", "rows.parquet"


def write_trial_table(table: TrialTable, source: Path, folder: Path) -> list[Path]:
    """Write both files atomically and return their paths.

    Raises:
        OSError: the folder cannot be written.
        ValueError: the folder holds records of trials.
    """
    if any(folder.glob("*/recipe.json")):
        raise ValueError(f"{folder} holds trials of clip-hparam: name another folder with --out")
    names = pd.DataFrame({_unused_column(table): table.rows.index}, index=table.rows.index)
    content = pd.concat([names, table.rows], axis="columns").reset_index(drop=True)
    write_atomic(folder / ROWS_FILE, content.to_parquet(index=False))
    digest = hashlib.sha256(source.read_bytes()).hexdigest() if source.is_file() else None
    facts = {key: value for key, value in table._asdict().items() if key != "rows"}
    facts["left_out"] = dict(table.left_out)
    head = {
        "schema": SCHEMA_VERSION,
        "source": source.name,
        "sha256": digest,
        "imported": utc_timestamp(),
    }
    write_json(folder / HEAD_FILE, {**head, **facts})
    return [folder / HEAD_FILE, folder / ROWS_FILE]


def read_trial_table(folder: Path) -> TrialTable:
    """Read the table that `write_trial_table` wrote, also in earlier versions.

    Raises:
        UnreadableError: a file is missing, cut, or of a newer schema.
    """
    facts = read_record_json(folder / HEAD_FILE)
    defaults = TrialTable._field_defaults
    try:
        rows = pd.read_parquet(folder / ROWS_FILE)
        rows = rows.set_index(rows.columns[0])
        names = [key for key in TrialTable._fields if key != "rows"]
        table = TrialTable(
            rows,
            **{key: facts[key] for key in names if key in facts or key not in defaults},
        )
        rows[_stored_columns(table)]  # raises KeyError if a column is missing
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UnreadableError(
            f"{folder / ROWS_FILE} does not match {HEAD_FILE}: import the table again"
        ) from error
    return table


def _stored_columns(table: TrialTable) -> list[str]:
    return [*table.knobs, *table.metrics, *([table.seed] if table.seed else [])]


def _unused_column(table: TrialTable) -> str:
    """Return a name for the index column that no other column has."""
    name = "name"
    while name in table.rows:
        name = f"_{name}"
    return name
