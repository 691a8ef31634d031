"""The ladder: accuracy and cost of each rung, with the paper's numbers.

`ladder_panels` returns all numbers and labels of the figure, which tests compare with the records;
`plot_ladder` adds none. Rungs are rows, in one order for all panels.
"""

from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence, trials_of
from clip_hparam.analysis.evidence.images.image_level import by_images
from clip_hparam.analysis.evidence.published import LADDER_REFERENCE, TOWERS
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts import rung_panels
from clip_hparam.analysis.figures.parts.fitting import fit_texts
from clip_hparam.analysis.figures.parts.rungs import NAN, Bar, Panel
from clip_hparam.analysis.figures.registry import sweep_figure
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_done

PANEL_SHARES, COST_SHARE = (1.25, 1.0), 0.8  # widths of our accuracies, the paper's, the costs
ROW_INCHES, REST_INCHES = 0.25, 1.15  # height of a rung, and of titles, axes and legend
IMAGENET_CLASSES = 1000
PAPER_COST = "V100-hours per run"


class LadderPanels(NamedTuple):
    """The paper's Fig. 1 made from our records, and the paper's own numbers."""

    ours: Panel  # without rungs where no ladder of ours is on record
    paper: Panel
    reference: tuple[str, float] | None  # the system that the paper compares with
    same_scale: bool = False  # ours and the paper's are of one tower and data set


def ladder_panels(frames: Frames, ablation: Ablation = ABLATIONS["ladder"]) -> LadderPanels:
    """Return the rungs of both panels.

    ablation: of one of several ladders; by default the newest.

    Raises:
        NotSweptError: no ladder is on record.
    """
    data = by_images(cell_evidence(frames, ablation))
    seeds = [tuple(cell.values.dropna()) for cell in replicates(frames, ablation)]
    on_gpu = bool((data["gpu_hours"] > 0).any())
    unit, cost = ("GPU-hours", "gpu_hours") if on_gpu else ("seconds", "seconds")
    return LadderPanels(
        Panel(
            _title(frames, data, ablation.family),
            f"{unit} per run",
            [_our_bar(row, cost, seeds[at]) for at, row in enumerate(_rows(data))],
            f"{rung_panels.WHISKERS}{style.interval_label(data)}",
        ),
        Panel(
            paper_title(ablation.family),
            PAPER_COST,
            [_paper_bar(row) for row in _rows(data.dropna(subset="paper_acc1"))],
        ),
        reference_of(ablation.family),
        same_scale=bool(ablation.family),
    )


def paper_title(family: str) -> str:
    """Return the title of the panels with the paper's numbers for the tower of a family."""
    return f"Paper: CLIP {TOWERS[family]} on ImageNet-1k"


def reference_of(family: str) -> tuple[str, float] | None:
    """Return title and accuracy of the system that the paper compares a tower with, if any."""
    if TOWERS[family] != TOWERS[""]:
        return None
    return LADDER_REFERENCE.title, LADDER_REFERENCE.acc1


def plot_ladder(data: LadderPanels) -> Figure:
    """Plot our accuracies, the paper's, and both costs relative to the first rung.

    Each panel has one axis. Accuracies are points, not bars, so that their axes need not start at
    0; costs start at 0.
    """
    panels = [panel for panel in (data.ours, data.paper) if panel.bars]
    rungs = list(dict.fromkeys(bar.label for panel in panels for bar in panel.bars))
    costs = [panel for panel in panels if rung_panels.relative_costs(panel)]
    shares = [PANEL_SHARES[panel is data.paper] for panel in panels] + [COST_SHARE] * bool(costs)
    figure = style.create_figure(style.PAGE_INCHES, REST_INCHES + ROW_INCHES * len(rungs))
    with style.house_style():
        row = figure.subplots(1, len(shares), sharey=True, squeeze=False, width_ratios=shares)[0]
        for axes, panel in zip(row, panels, strict=False):
            limits = rung_panels.accuracy_limits(panels if data.same_scale else [panel])
            rung_panels.plot_accuracies(axes, panel, rungs, limits, is_ours=panel is data.ours)
            if panel is data.paper and data.reference:
                rung_panels.plot_reference(axes, data.reference)
        if costs:
            rung_panels.plot_costs(row[-1], costs, rungs, data.ours)
        rung_panels.label_rungs(row[0], rungs)
        rung_panels.add_legend(figure)
    return fit_texts(figure, ROW_INCHES * len(rungs))


def _title(frames: Frames, data: pd.DataFrame, family: str) -> str:
    trials = trials_of(frames, data)
    if family and set(trials["data.name"]) == {"imagenet"}:
        classes = trials.get("images.classes", pd.Series(dtype=float)).dropna().unique()
        all_of_it = set(classes) <= {IMAGENET_CLASSES}
        images = "ImageNet-1k" if all_of_it else f"{classes.max():.0f} classes of ImageNet"
        return f"Ours: CLIP {TOWERS[family]} on {images}"
    pairs = trials[["encoder.name", "data.name"]].drop_duplicates()
    names = [f"encoder {encoder} on {name}" for encoder, name in pairs.itertuples(index=False)]
    return f"Ours: {' and '.join(names)}" if names else "Ours"


def _rows(data: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in data.iterrows()]


def _our_bar(row: pd.Series, cost: str, seeds: tuple[float, ...]) -> Bar:
    missing = f"{format_done(row['n'], row['asked'])} runs" if row["n"] < row["asked"] else ""
    values = (row["test_acc1"], row["ci_low"], row["ci_high"], row[cost])
    return Bar(_label(row), *values, missing, seeds)


def _paper_bar(row: pd.Series) -> Bar:
    return Bar(_label(row), row["paper_acc1"], NAN, NAN, row["paper_v100_hours"])


def _label(row: pd.Series) -> str:
    return str(row["rung"]).replace("_", " ")


@sweep_figure("ladder")
def ladder_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot accuracy and cost of the rungs, with the paper's numbers."""
    return plot_ladder(ladder_panels(frames, ablation))
