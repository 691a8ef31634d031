"""The page of three ladders on disjoint seeds: docs/evidence_sets.md, and its numbers as csv."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from clip_hparam.analysis.evidence.provenance import code_state
from clip_hparam.analysis.evidence.seed_sets import AIM, SeedSet
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_difference, format_interval
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.render import to_markdown
from clip_hparam.records.atomic import write_atomic

STEM = "evidence_sets"
CSV_COLUMNS = [
    "rung", "n", "test_acc1", "ci_low", "ci_high", "delta", "delta_low", "delta_high", "delta_p",
    "delta_p_holm", "delta_excludes_zero", "paper_delta", "sign_agrees",
]  # fmt: skip
HEAD = """# The ladder on disjoint sets of seeds

Written by `make evidence` from the records; edit nothing here. The seeds of the sets are disjoint.
Settings are chosen on seeds from 100 on (`make tune`). All sets are shown, whatever their result.

± is half of the 95 % t interval over the seeds of the set; a difference is to the rung before and
paired by seed. Bold: the interval excludes zero. Holm p is adjusted for the steps of the set.
"""


def write_seed_sets(frames: Frames, sets: Sequence[SeedSet], folder: Path) -> list[Path]:
    """Write the page and the csv into the folder and return their paths.

    Raises:
        OSError: the folder cannot be written.
    """
    texts = {"md": page(frames, sets), "csv": numbers(sets).to_csv(index=False)}
    paths = [folder / f"{STEM}.{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_atomic(path, text.encode())
    return paths


def numbers(sets: Sequence[SeedSet]) -> pd.DataFrame:
    """Return a row per set and rung with unrounded numbers."""
    rows = [seed_set.data[CSV_COLUMNS].assign(seeds=seed_set.name) for seed_set in sets]
    return pd.concat(rows)[["seeds", *CSV_COLUMNS]]


def page(frames: Frames, sets: Sequence[SeedSet]) -> str:
    """Return the page as Markdown."""
    tables = [
        _summary_table(sets),
        _spread_table(sets),
        *(_set_table(seed_set) for seed_set in sets),
    ]
    facts = "\n".join(f"- {fact}" for fact in _facts(frames, sets))
    return "\n".join([HEAD, facts, "", *(to_markdown(table).rstrip() + "\n" for table in tables)])


def _facts(frames: Frames, sets: Sequence[SeedSet]) -> Iterator[str]:
    """Yield date, machine, code and settings of the trials, as they recorded them."""
    ids = [name for seed_set in sets for name in seed_set.sweep.trial_ids]
    trials = frames.trials[frames.trials["trial_id"].isin(ids)]
    days = trials["finished"].dropna().astype(str).str.slice(0, 10)
    yield f"Date: {' to '.join(sorted({days.min(), days.max()}))}; {len(trials)} trials"
    for title, column in (("Processor", "numerics.device_name"), ("torch", "versions.torch")):
        if column in trials:
            yield f"{title}: {', '.join(sorted(set(trials[column].dropna().astype(str))))}"
    yield f"Code: {code_state(trials)}"
    typed = sets[0].sweep.difference.strip(" ()")
    data = ", ".join(sorted(set(trials["data.name"])))
    yield f"Data: {data}; typed for all cells: {f'`{typed}`' if typed else 'nothing'}"


def _summary_table(sets: Sequence[SeedSet]) -> Table:
    rows = [
        {
            "seeds": seed_set.name,
            f"signs of the paper (aim: {AIM.signs})": (
                f"{seed_set.counts.signs} of {seed_set.steps}"
            ),
            f"intervals without zero (aim: {AIM.intervals})": str(seed_set.counts.intervals),
            f"after Holm (aim: {AIM.holm})": str(seed_set.counts.holm),
            "aim": "reached" if seed_set.counts.reach(AIM) else "not reached",
        }
        for seed_set in sets
    ]
    return _table("Summary: steps of the ladder", rows, [])


def _spread_table(sets: Sequence[SeedSet]) -> Table:
    """Return the difference of each step in each set, side by side."""
    rows, bold = [], []
    for number in range(1, len(sets[0].data)):
        steps = [seed_set.data.iloc[number] for seed_set in sets]
        names = [f"seeds {seed_set.name}" for seed_set in sets]
        cells = [format_difference(s["delta"], s["delta_low"], s["delta_high"]) for s in steps]
        paper = steps[0]["paper_delta"]
        rows.append(
            {
                "step": str(steps[0]["rung"]),
                **dict(zip(names, cells, strict=True)),
                "paper": "" if pd.isna(paper) else format_difference(paper, math.nan, math.nan, 1),
            }
        )
        bold.append([False, *(bool(s["delta_excludes_zero"]) for s in steps), False])
    return _table("Difference to the rung before, points", rows, bold)


def _set_table(seed_set: SeedSet) -> Table:
    rows, bold = [], []
    for number, (_, row) in enumerate(seed_set.data.iterrows()):
        delta = format_difference(row["delta"], row["delta_low"], row["delta_high"])
        agrees = row["sign_agrees"]
        rows.append(
            {
                "rung": str(row["rung"]),
                "what changed": str(row["changed"]),
                "test accuracy, %": format_interval(
                    row["test_acc1"], row["ci_low"], row["ci_high"]
                ),
                "Δ to the rung before": delta if number else "",
                "Holm p": "" if pd.isna(row["delta_p_holm"]) else f"{row['delta_p_holm']:.2g}",
                "sign agrees": "" if pd.isna(agrees) else "yes" if agrees else "no",
            }
        )
        bold.append([False] * 3 + [bool(row["delta_excludes_zero"])] + [False] * 2)
    return _table(f"Seeds {seed_set.name} (sweep {seed_set.sweep.sweep_id})", rows, bold)


def _table(title: str, rows: list[dict[str, str]], bold: list[list[bool]]) -> Table:
    shown = pd.DataFrame(rows, dtype="str")
    marks = pd.DataFrame(bold or False, index=shown.index, columns=shown.columns)
    return Table(STEM, title, shown, shown, marks, [])
