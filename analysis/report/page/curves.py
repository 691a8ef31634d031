"""Learning curves of the trials as JSON: a list of values by epoch for each trial and metric."""

from typing import Any

import pandas as pd

from clip_hparam.analysis.report.page.json_values import decimals

MAX_CURVES = 2_000  # trials with curves
CURVES = (
    ("reported", "selection accuracy, %", 2),
    ("selection_acc1.raw", "selection accuracy of raw weights, %", 2),
    ("train_loss", "training loss", 3),
)


def curves_json(epochs: pd.DataFrame, trials: pd.DataFrame) -> dict[str, Any]:
    """Return for each metric a list per trial (None without epochs), indexed by epoch.

    trials: the rows of the page; the first 2,000 of them have curves.
    """
    rows = {name: row for row, name in enumerate(trials["trial_id"].head(MAX_CURVES))}
    known = epochs[epochs["trial_id"].isin(rows)].sort_values(["trial_id", "epoch"])
    tables = [
        _metric(known, rows, name, title, places)
        for name, title, places in CURVES
        if name != "selection_acc1.raw" or _has_ema(known)
    ]
    return {
        "more": max(len(trials) - MAX_CURVES, 0),
        "metrics": [table for table in tables if any(table["values"])],
    }


def reported_accuracy(epochs: pd.DataFrame) -> pd.Series:
    """Return the accuracy that selects the epoch: of the EMA where there is one, else raw."""
    raw = epochs["selection_acc1.raw"].astype(float)
    if "selection_acc1.ema" not in epochs:
        return raw
    return epochs["selection_acc1.ema"].astype(float).fillna(raw)


def _has_ema(epochs: pd.DataFrame) -> bool:
    return "selection_acc1.ema" in epochs and bool(epochs["selection_acc1.ema"].notna().any())


def _metric(
    epochs: pd.DataFrame, rows: dict[str, int], name: str, title: str, places: int
) -> dict[str, Any]:
    """Return the lists of one metric; an epoch that is missing between others is None."""
    column = reported_accuracy(epochs) if name == "reported" else epochs[name].astype(float)
    values: list[list[float | None] | None] = [None] * len(rows)
    table = pd.DataFrame({"id": epochs["trial_id"], "epoch": epochs["epoch"], "value": column})
    for trial_id, part in table.dropna().groupby("id", sort=False):
        last = int(part["epoch"].iloc[-1])
        if len(part) != last + 1:
            part = part.drop_duplicates("epoch").set_index("epoch").reindex(range(last + 1))
        values[rows[str(trial_id)]] = decimals(part["value"], places)
    return {"name": name, "title": title, "values": values}
