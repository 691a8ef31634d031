"""Columns of trials as JSON: each column once, texts as codes of their levels."""

from typing import Any

import pandas as pd

from clip_hparam.analysis.evidence.searches.axes import is_logarithmic
from clip_hparam.analysis.frames.importing.cells import format_level
from clip_hparam.analysis.frames.trial_table import is_numeric
from clip_hparam.analysis.report.page.json_values import numbers


def json_column(name: str, title: str, group: str, values: pd.Series) -> dict[str, Any]:
    """Return a column of numbers, or of texts with their levels.

    group: "id", "state", "knob", "metric" or "cost"; which views offer the column.
    """
    head = {"name": name, "title": title, "group": group}
    if is_numeric(values):
        scale = {"log": True} if is_logarithmic(name, values) else {}
        return {**head, **scale, "values": numbers(values)}
    if values.notna().sum() == 0:
        return {**head, "values": [None] * len(values)}
    texts = values.map(format_level)
    levels = sorted(texts.unique())
    codes = {level: code for code, level in enumerate(levels)}
    if len(levels) > len(texts) / 2:
        return {**head, "texts": texts.to_list()}
    return {**head, "levels": levels, "codes": [codes[text] for text in texts]}
