"""Read CSV files as text, with any of four separators, quoted fields and a byte-order mark.

Also recognises exports: of W&B's runs table, of the data frame in W&B's documentation of its public
API (columns `config` and `summary` that hold a dictionary), and of `optuna.Study.trials_dataframe`.
"""

import ast
import codecs
import csv
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd

from clip_hparam.analysis.frames.importing.source import (
    Roles,
    Source,
    TrialParts,
    flatten,
    join_parts,
    varied,
)

SEPARATORS = ",;\t|"
ROW_NUMBER_COLUMNS = ("", "Unnamed: 0")  # pandas writes row numbers without a header
WANDB_COLUMNS = {"Name", "State", "Created"}
OPTUNA_COLUMNS = {"number", "state", "datetime_start"}
DICTIONARY_COLUMNS = ("config", "summary")


def read_delimited(path: Path) -> Source:
    """Read a CSV or TSV file; the separator is the one that cuts the header into most fields.

    Raises:
        ValueError: the file is no UTF-8 or UTF-16 text, or a line has another number of fields.
    """
    text, declared = _split_declaration(read_text(path))
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = declared or _separator_of(header)
    rows = _text_rows(text, separator)
    notes = () if separator == "," else (f"fields are separated by {separator!r}",)
    return _recognise(Source("csv", rows, notes=notes, decimal_commas=separator in ";\t"))


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8 or in UTF-16 with a byte-order mark.

    Raises:
        ValueError: the file is neither.
    """
    content = path.read_bytes()
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8: save it as UTF-8") from None


def _split_declaration(text: str) -> tuple[str, str]:
    """Return the text without a first line such as "sep=;", and the separator it declares."""
    declared = re.match(r"sep=(.)\r?\n", text)
    return (text[declared.end() :], declared[1]) if declared else (text, "")


def _separator_of(header: str) -> str:
    counts = {mark: len(next(csv.reader([header], delimiter=mark), [])) for mark in SEPARATORS}
    return max(counts, key=lambda mark: counts[mark])


def _text_rows(text: str, separator: str) -> pd.DataFrame:
    header = next(csv.reader([text.lstrip("\r\n").partition("\n")[0]], delimiter=separator), [])
    spaced = len(header) > 1 and all(name.startswith(" ") for name in header[1:])  # a, b, c
    lines_of = io.StringIO(text, newline="")
    reader = csv.reader(lines_of, delimiter=separator, skipinitialspace=spaced, strict=True)
    try:
        lines = [(reader.line_num, fields) for fields in reader if fields]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None
    if not lines:
        return pd.DataFrame()
    names = [name.strip() for name in lines[0][1]]
    if len(lines) == 1:
        return pd.DataFrame(columns=names, dtype=object)
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"the header has {min(repeated)!r} twice: rename one of the two columns")
    for number, fields in lines[1:]:
        if len(fields) != len(names):
            raise ValueError(f"line {number} has {len(fields)} fields, the header {len(names)}")
    columns = zip(*(fields for _, fields in lines[1:]), strict=True)
    cells = {
        name: [field or None for field in column]
        for name, column in zip(names, columns, strict=True)
    }
    rows = pd.DataFrame(cells, columns=names, dtype=object)
    if names[0] not in ROW_NUMBER_COLUMNS:
        return rows
    numbers = list(map(str, range(len(rows))))
    is_number = rows[names[0]].to_list() == numbers
    return rows.drop(columns=names[0]) if is_number else rows.rename(columns={"": "Unnamed: 0"})


def _recognise(source: Source) -> Source:
    """Return the source with the roles of the tool that exported it, if it is a known one."""
    names = [str(name) for name in source.rows]
    if set(DICTIONARY_COLUMNS) <= set(names) and _holds_dictionaries(source.rows["config"]):
        return _read_dictionaries(source)
    if set(names) >= WANDB_COLUMNS:
        unique = (c for c in ("ID", "Name") if c in names and source.rows[c].is_unique)
        roles = Roles(name=next(unique, ""), state="State")
        return source._replace(format="wandb", roles=roles)
    if set(names) >= OPTUNA_COLUMNS and any(name.startswith("params_") for name in names):
        parameters = [name for name in names if name.startswith("params_")]
        values = tuple(name for name in names if name == "value" or name.startswith("values_"))
        roles = Roles(varied(source.rows, parameters), values, name="number", state="state")
        return source._replace(
            format="optuna-csv",
            roles=roles._replace(objective=values[0] if len(values) == 1 else ""),
        )
    return source


def _holds_dictionaries(values: pd.Series) -> bool:
    return all(str(value).lstrip().startswith("{") for value in values.dropna())


def _read_dictionaries(source: Source) -> Source:
    """Return the rows of a W&B data frame with a column per key of `config` and `summary`."""
    plain = source.rows.drop(columns=[*DICTIONARY_COLUMNS])
    names = [str(name) for name in plain]
    heads = [dict(zip(names, row, strict=True)) for row in plain.itertuples(index=False)]
    configs = [_parse_dictionary(text, "config") for text in source.rows["config"]]
    summaries = [_parse_dictionary(text, "summary") for text in source.rows["summary"]]
    rows, knobs, _ = join_parts(list(map(TrialParts, heads, configs, summaries)))
    public = [knob for knob in knobs if not knob.startswith("_")]
    state = next((name for name in names if name.lower() == "state"), "")
    name = next((c for c in ("id", "name") if c in plain and plain[c].is_unique), "")
    roles = Roles(varied(rows, public), name=name, state=state)
    return source._replace(format="wandb", rows=rows, roles=roles)


def _parse_dictionary(text: Any, column: str) -> dict[str, Any]:
    """Return the flat dictionary that Python printed; nan and inf become None.

    Raises:
        ValueError: the text is no dictionary of plain values.
    """
    spelled = re.sub(r"(?<=[:\[, ])-?(nan|inf)(?=[,}\] ])", "None", str(text or "{}"))
    try:
        tree = ast.literal_eval(spelled)
    except (ValueError, SyntaxError):
        raise ValueError(f"column {column} holds {str(text)[:60]!r}, no dictionary") from None
    return flatten(tree) if isinstance(tree, dict) else {}
