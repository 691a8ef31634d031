"""The charts of a sweep as JSON: cells with intervals and seeds, two knobs, effects, paths."""

import math
from typing import Any

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.image_level import by_images, has_one_seed
from clip_hparam.analysis.evidence.replicates import Replicates, replicates
from clip_hparam.analysis.evidence.selection import best_cell, selection_accuracy
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.report.page.effects import effects_json, path_json
from clip_hparam.analysis.report.page.json_values import number, numbers
from clip_hparam.analysis.report.page.knob_map import knob_map
from clip_hparam.analysis.report.page.verdicts import Verdict, achieved_power, counts, verdicts
from clip_hparam.analysis.tables.conclusions import conclusion


def sweep_json(frames: Frames, ablation: Ablation) -> dict[str, Any]:
    """Return the conclusion and the charts of a sweep.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    data = cell_evidence(frames, ablation)
    cells, shown = replicates(frames, ablation), by_images(data)
    order = [int(number) for number in shown.index.to_list()]  # rows may be sorted by knobs
    judged = verdicts(shown, ablation)
    chosen = best_cell(cells) if not ablation.imported else None
    return {
        "key": ablation.name,
        "title": ablation.title,
        "row": ablation.row,
        "metric": ablation.metric_title,
        "unit": "" if ablation.imported else "points",
        "digits": ablation.digits,
        "against": "the row before" if ablation.against == "previous" else str(cells[0].cell.label),
        "images": has_one_seed(data),
        "sentence": conclusion(frames, ablation),
        "counts": counts(judged),
        "cells": [
            _cell(row, cells[number], verdict, ablation, cells[number] is chosen)
            for number, (_, row), verdict in zip(order, shown.iterrows(), judged, strict=True)
        ],
        "map": knob_map(cells, chosen, ablation),
        "effects": effects_json(frames, ablation),
        "path": path_json(frames, ablation, cells),
    }


def _cell(
    row: pd.Series, cell: Replicates, verdict: Verdict, ablation: Ablation, chosen: bool
) -> dict[str, Any]:
    """Return one cell: its mean with interval, its seeds, its difference and its verdict."""
    known = cell.values.dropna()
    paper = number(row["paper_delta"])
    selection = math.nan if ablation.imported else selection_accuracy(cell.trials)
    return {
        "label": verdict.label,
        "n": int(row["n"]),
        "asked": int(row["asked"]),
        "mean": number(row[ablation.metric]),
        "ends": numbers([row["ci_low"], row["ci_high"]]),
        "seeds": [
            [str(seed), number(value)] for seed, value in zip(known.index, known, strict=True)
        ],
        "delta": numbers([row["delta"], row["delta_low"], row["delta_high"]]),
        "p": number(row["delta_p_holm"], 3),
        "verdict": verdict.kind,
        "text": verdict.text,
        "more": verdict.more_seeds,
        "power": number(achieved_power(row), 2) if verdict.kind in ("undecided", "weak") else None,
        "seconds": number(row["seconds"]),
        "selection": number(selection),
        "chosen": chosen,
        **({"paper": paper} if paper is not None else {}),
    }
