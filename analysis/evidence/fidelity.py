"""Can a cheap run stand for a full one? Rank correlation between the two, from finished trials.

Cheap is an earlier epoch of the same run, or another run with fewer epochs, fewer images or a lower
resolution and the same other knobs and seed. What counts is the accuracy on the selection set, at
the epoch that would be selected.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.frames.frame import FINGERPRINT_KNOBS, Frames, reported_values
from clip_hparam.config.recipe import FIDELITIES, knobs

MIN_PAIRS, BEST_SHARE = 8, 1 / 3


class Proxy(NamedTuple):
    """How well `cheap` of a fidelity ranks what `full` would.

    low, high: 95 % interval of Spearman's rho (Bonett & Wright 2000). kept: of the best third of
    the full runs, the share that is in the best third of the cheap ones.
    """

    fidelity: str  # "epoch" within a run, or a knob
    cheap: float
    full: float
    n: int
    spearman: float
    low: float
    high: float
    kept: float


def fidelity_proxies(frames: Frames) -> list[Proxy]:
    """Raises ValueError if there are fewer than eight pairs of anything."""
    done = frames.trials[frames.trials["status"] == "done"]
    found = [*_epoch_proxies(frames, done), *_knob_proxies(done)]
    if not found:
        raise ValueError(
            f"fidelity needs {MIN_PAIRS} finished trials of one length, or pairs of cheap and full"
            f" ones that differ in one of {', '.join(FIDELITIES)}; {len(done)} trials are done"
        )
    return found


def proxy(name: str, levels: tuple[float, float], pairs: pd.DataFrame) -> Proxy:
    """Of pairs with the columns cheap and full."""
    rho = float(pairs["cheap"].corr(pairs["full"], method="spearman"))
    n, third = len(pairs), max(1, round(BEST_SHARE * len(pairs)))
    low, high = _spearman_interval(rho, n)
    best = set(pairs["full"].nlargest(third).index)
    kept = len(best & set(pairs["cheap"].nlargest(third).index)) / third
    return Proxy(name, *levels, n, rho, low, high, kept)


def format_proxies(found: list[Proxy]) -> list[str]:
    """Lines for people."""
    lines = ["cheap -> full: Spearman's rho (95 %), best third kept, pairs"]
    for one in found:
        span = f"{one.fidelity} {one.cheap:g} -> {one.full:g}"
        rho = f"{one.spearman:5.2f} ({one.low:.2f} to {one.high:.2f})"
        lines.append(f"  {span:<32} {rho}  {one.kept:4.0%}  {one.n}")
    return lines


def _epoch_proxies(frames: Frames, done: pd.DataFrame) -> Iterator[Proxy]:
    """Earlier epochs of the runs of each length, at 1, 2, 4, ... epochs."""
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
    """Best accuracy on the selection set so far, by trial (rows) and epochs trained (columns)."""
    accuracy = epochs["selection_acc1.raw"]
    if "selection_acc1.ema" in epochs:
        accuracy = epochs["selection_acc1.ema"].fillna(accuracy)
    table = epochs.assign(accuracy=accuracy, trained=epochs["epoch"] + 1)
    wide = table.pivot_table(index="trial_id", columns="trained", values="accuracy")
    return wide.cummax(axis=1)


def _knob_proxies(done: pd.DataFrame) -> Iterator[Proxy]:
    """Runs that differ in one fidelity alone."""
    table = done.assign(
        accuracy=reported_values(done, "selection_acc1"), averaged=done["ema_decay"] != 0
    )
    for knob, derived in FIDELITIES.items():
        if table[knob].nunique() < 2:
            continue
        other = (knob, *derived, *FINGERPRINT_KNOBS)
        alike = [name for name in knobs() if name in table and name not in other]
        key = table[[*alike, "averaged"]].astype(str).agg("\x00".join, axis=1)
        wide = table.assign(key=key).pivot_table(index="key", columns=knob, values="accuracy")
        *cheaper, full = wide.columns.to_numpy(dtype=float)
        for level in cheaper:
            pairs = wide[[level, full]].dropna().set_axis(["cheap", "full"], axis="columns")
            if _can_be_ranked(pairs):
                yield proxy(knob, (level, full), pairs)


def _can_be_ranked(pairs: pd.DataFrame) -> bool:
    """Whether there is a rank correlation to speak of."""
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
