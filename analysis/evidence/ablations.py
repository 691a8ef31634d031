"""Ablations as data: title, sweep, how rows are compared, and the paper's numbers.

A sweep without an entry here also gets a table (`ablation_for_sweep`), without a paper column.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

from clip_hparam.analysis.evidence.published import LADDERS, PAPER_LADDER, PublishedResult
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.imported import IMPORTED_PREFIX, imported_column
from clip_hparam.analysis.frames.importing.cells import IMPORTED_KIND
from clip_hparam.analysis.frames.labels import decimals, metric_title
from clip_hparam.analysis.frames.manifests import (
    SweepManifest,
    family_title,
    find_sweeps,
    output_names,
)
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.records.paths import campaign_names

SCREENING_CAVEAT = "The screening of a study: it chooses knobs by the selection set, shown here."
CONTROLS = "controls"  # sweep whose cells are rows beside a ladder

FIGURE_KINDS = (
    *("levels", "heatmap", "forest", "slice", "parallel", "importance", "curves", "history"),
    *("pareto", "best_of_n"),
)  # figures that are drawn of any sweep: `figures KIND NAME`


@dataclass(frozen=True)
class Ablation:
    """How the table and the figure of one sweep are made."""

    name: str  # name of the files: the sweep's, with a part of its id where several sweeps have it
    title: str
    row: str = "cell"  # title of the column of labels
    knobs: tuple[str, ...] = ()  # columns of levels; empty: a column of the changed knobs
    against: Literal["previous", "first"] = "first"  # the row that differences are taken to
    order: Literal["design", "value"] = "design"  # "value": rows sorted by `knobs`
    metric: str = "test_acc1"
    metric_columns: tuple[tuple[str, str], ...] = ()  # (label, column) of cells with their own
    paper: tuple[PublishedResult, ...] = ()
    paper_by: Literal["label", "recipe"] = "label"  # how a row is found among `paper`
    family: str = ""  # recipe family, empty for the miniature
    caveat: str = ""
    figure_kind: Literal["ladder", "levels", "map", "effects", "factorial", "sample"] = "levels"
    sweep_id: str = ""  # "": the newest sweep of the name
    imported: bool = False  # the cells are those of an imported table
    digits: int = 2  # decimals of the metric in tables

    @property
    def metric_title(self) -> str:
        """Title of the metric; that of an imported one is its name, since its unit is unknown."""
        imported_name = self.metric.removeprefix(IMPORTED_PREFIX)
        return imported_name if self.imported else metric_title(self.metric)

    @property
    def counts_images(self) -> bool:
        """Whether the metric is a share of test images with a record of each image."""
        return self.metric == "test_acc1" and not self.imported


def _knob_ablation(name: str, title: str, *knobs: str) -> Ablation:
    return Ablation(name, title, knobs=knobs or (name,), order="value")


_ALL = (
    Ablation(
        "ladder",
        "The fine-tuning ladder",
        row="rung",
        against="previous",
        paper=PAPER_LADDER,
        caveat="Cumulative, not re-tuned: a rung keeps all changes of the rungs before it.",
        figure_kind="ladder",
    ),
    Ablation(
        CONTROLS,
        "Controls: before training, the head alone, and without pre-training",
        row="control",
        metric_columns=(("zero_shot", "test_acc1.zero_shot"),),
        caveat="zero_shot is the accuracy before any training.",
    ),
    _knob_ablation("lr", "Learning rate"),
    _knob_ablation("layer_decay", "Layer-wise learning-rate decay"),
    _knob_ablation("ema", "Moving average of the weights", "ema_decay"),
    _knob_ablation("drop_path", "Stochastic depth"),
    Ablation("augment", "Augmentation"),
    _knob_ablation("label_smoothing", "Label smoothing"),
    _knob_ablation("epochs", "Epochs"),
    _knob_ablation("resolution", "Resolution"),
    Ablation("freeze", "Frozen parameters", knobs=("freeze",)),
    Ablation(
        "lr_x_layer_decay",
        "Learning rate and layer decay together",
        knobs=("lr", "layer_decay"),
        order="value",
        figure_kind="map",
    ),
    Ablation("factorial", "All combinations of four changes", figure_kind="factorial"),
    Ablation("fractional", "A fraction of all combinations", figure_kind="factorial"),
    Ablation("leave_one_out", "The full recipe without one change", figure_kind="effects"),
)
ABLATIONS = {ablation.name: ablation for ablation in _ALL}
DEFAULTS_BY_KIND: dict[str, dict[str, Any]] = {  # kind of design -> fields of an unlisted sweep
    "ladder": {"row": "rung", "against": "previous"},
    "leave_one_out": {"figure_kind": "effects"},
    "factorial": {"figure_kind": "factorial"},
    "fractional": {"figure_kind": "factorial"},
    "random": {"figure_kind": "sample"},
    "sobol": {"figure_kind": "sample"},
    "search": {"figure_kind": "sample"},
}


def ablation_for_sweep(name: str, kind: str = "") -> Ablation:
    """Return the ablation of a sweep; if none is listed, one with the defaults of its kind."""
    return ABLATIONS.get(name) or Ablation(name, f"Sweep {name}", **DEFAULTS_BY_KIND.get(kind, {}))


def ablation_for_import(name: str, table: TrialTable) -> Ablation:
    """Return the ablation of an imported table: cells by its knobs, compared with the first."""
    values = table.rows[table.objective].abs()
    repeated = bool(table.knobs) and bool(table.rows.duplicated(table.knobs).any())
    return Ablation(
        name,
        f"Imported table {name}",
        knobs=tuple(map(imported_column, table.knobs)),
        metric=imported_column(table.objective),
        figure_kind="levels" if table.knobs and (table.seed or repeated) else "sample",
        imported=True,
        digits=decimals(float(values[values > 0].median())),
    )


def ablation_of(frames: Frames, name: str) -> Ablation:
    """Return the ablation of a sweep, which need not be on record.

    name: what `records.manifest.find_sweeps` takes; a shared name stands for its newest sweep.
    """
    sweep = next(reversed(find_sweeps(frames.sweeps, name)), None)
    if sweep is None:
        return ablation_for_sweep(name)
    names = {other.sweep_id: file for file, other in output_names(frames.sweeps).items()}
    if sweep.kind == IMPORTED_KIND and frames.imported is not None:
        imported = ablation_for_import(names[sweep.sweep_id], frames.imported)
        return replace(imported, sweep_id=sweep.sweep_id)
    ablation = ablation_for_sweep(sweep.name, sweep.kind)
    file_name = names[sweep.sweep_id]
    named = replace(ablation, name=file_name, sweep_id=sweep.sweep_id)
    older = f", {file_name}" if file_name != sweep.name else ""  # a newer sweep has the name
    if is_screening(frames, sweep):
        named = replace(named, metric="selection_acc1", caveat=SCREENING_CAVEAT)
    if not sweep.family:
        return replace(named, title=f"{ablation.title}{sweep.difference}{older}")
    return replace(
        named,
        title=f"{ablation.title}, {family_title(sweep)}{older}",
        family=sweep.family,
        paper=LADDERS.get(sweep.family, ()),
        paper_by="label" if ablation.paper else "recipe",
    )


def is_screening(frames: Frames, sweep: SweepManifest) -> bool:
    """Return whether the sweep is the screening of a study in the runs folder.

    It chose knobs by the selection set, so its table and figures show the same numbers.
    """
    study = sweep.name.removesuffix("_screening")
    return study != sweep.name and study in campaign_names(frames.runs)


def split_figure_name(name: str, sweeps: Collection[str]) -> tuple[str, str]:
    """Return the sweep and the kind in "NAME-KIND", the file name of a figure on demand.

    The kind is empty for any other name, also for that of a sweep.

    sweeps: names of the sweeps on record.
    """
    sweep, _, kind = name.rpartition("-")
    return (sweep, kind) if sweep and kind in FIGURE_KINDS and name not in sweeps else (name, "")
