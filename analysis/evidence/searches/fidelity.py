"""Rank correlation between cheap and full runs, from finished trials.

A cheap run is an earlier epoch of the same run, or another run with fewer epochs, fewer images or a
lower resolution and the same other knobs and seed. The compared number is the accuracy on the
selection set at the selected epoch.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.frames.frame import (
    FINGERPRINT_KNOBS,
    Frames,
    done_trials,
    reported_values,
)
from clip_hparam.analysis.frames.trial_table import add_columns
from clip_hparam.config.recipe import FIDELITIES, knobs

MIN_PAIRS, BEST_SHARE = 8, 1 / 3


class Proxy(NamedTuple):
    """Rank correlation between runs at two levels of a fidelity.

    Source of the interval: Bonett and Wright 2000.
    """

    fidelity: str  # "epoch" (within a run) or a knob
    cheap: float  # level
    full: float  # level
    n: int  # pairs of runs
    spearman: float
    low: float  # ends of the 95 % interval of Spearman's rho
    high: float
    kept: float  # share of the best third of the full runs that is in the best third of the cheap


def fidelity_proxies(frames: Frames) -> list[Proxy]:
    """Return the rank correlation for each fidelity and level with enough pairs.

    Raises:
        ValueError: no level has MIN_PAIRS pairs.
    """
    done = done_trials(frames.trials)
    proxies = [*_epoch_proxies(frames, done), *_knob_proxies(done)]
    if not proxies:
        raise ValueError(
            f"fidelity needs {MIN_PAIRS} finished trials of one length, or pairs of cheap and full"
            f" ones that differ in one of {', '.join(FIDELITIES)}; {len(done)} trials are done"
        )
    return proxies


def proxy(name: str, levels: tuple[float, float], pairs: pd.DataFrame) -> Proxy:
    """Return the rank correlation of pairs, columns `cheap` and `full`.

    levels: of the cheap and of the full runs.
    """
    rho = float(pairs["cheap"].corr(pairs["full"], method="spearman"))
    n, third = len(pairs), max(1, round(BEST_SHARE * len(pairs)))
    low, high = _spearman_interval(rho, n)
    best = set(pairs["full"].nlargest(third).index)
    kept = len(best & set(pairs["cheap"].nlargest(third).index)) / third
    return Proxy(name, *levels, n, rho, low, high, kept)


def format_proxies(proxies: list[Proxy]) -> list[str]:
    """Format a header and a line per proxy."""
    lines = ["cheap -> full: Spearman's rho (95 %), best third kept, pairs"]
    for item in proxies:
        levels = f"{item.fidelity} {item.cheap:g} -> {item.full:g}"
        rho = f"{item.spearman:5.2f} ({item.low:.2f} to {item.high:.2f})"
        lines.append(f"  {levels:<32} {rho}  {item.kept:4.0%}  {item.n}")
    return lines


def _epoch_proxies(frames: Frames, done: pd.DataFrame) -> Iterator[Proxy]:
    """Yield proxies within runs of each length: 1, 2, 4, ... epochs against the full length."""
    curves = _best_so_far(frames.epochs)
    for _, trials in done.groupby("epochs"):
        length = int(trials["epochs"].iloc[0])
        full = reported_values(trials, "selection_acc1").set_axis(trials["trial_id"]).dropna()
        for epochs in _powers_of_two(length):
            if epochs not in curves:
                continue
            pairs = pd.DataFrame({"cheap": curves[epochs].reindex(full.index), "full": full})
            if _can_be_ranked(pairs := pairs.dropna()):
                yield proxy("epoch", (epochs, length), pairs)


def _best_so_far(epochs: pd.DataFrame) -> pd.DataFrame:
    """Return the best selection accuracy so far; index: trial_id, columns: epochs trained."""
    accuracy = epochs["selection_acc1.raw"]
    if "selection_acc1.ema" in epochs:
        accuracy = epochs["selection_acc1.ema"].fillna(accuracy)
    table = epochs.assign(accuracy=accuracy, trained=epochs["epoch"] + 1)
    wide = table.pivot_table(index="trial_id", columns="trained", values="accuracy")
    return wide.cummax(axis=1)


def _knob_proxies(done: pd.DataFrame) -> Iterator[Proxy]:
    """Yield proxies between runs that differ in one fidelity only."""
    table = add_columns(
        done, accuracy=reported_values(done, "selection_acc1"), averaged=done["ema_decay"] != 0
    )
    for knob, derived in FIDELITIES.items():
        if table[knob].nunique() < 2:
            continue
        may_differ = (knob, *derived, *FINGERPRINT_KNOBS)
        equal = [name for name in knobs() if name in table and name not in may_differ]
        # imported rows lack knobs
        texts = table[[*equal, "averaged"]].astype(str).fillna("(missing)")
        key = texts.agg("\x00".join, axis=1)
        wide = add_columns(table, key=key).pivot_table(index="key", columns=knob, values="accuracy")
        *cheaper, full = wide.columns.to_numpy(dtype=float)
        for level in cheaper:
            pairs = wide[[level, full]].dropna().set_axis(["cheap", "full"], axis="columns")
            if _can_be_ranked(pairs):
                yield proxy(knob, (level, full), pairs)


def _can_be_ranked(pairs: pd.DataFrame) -> bool:
    """Return whether enough pairs exist and both columns vary."""
    return len(pairs) >= MIN_PAIRS and bool((pairs.nunique() > 1).all())


def _powers_of_two(length: int) -> Iterator[int]:
    epochs = 1
    while epochs < length:
        yield epochs
        epochs *= 2


def _spearman_interval(rho: float, n: int) -> tuple[float, float]:
    if abs(rho) > 1 - 1e-12:
        return rho, rho
    half = 1.96 * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half))
