"""Each ablation as data: the question, its sweep, how rows compare, and the paper's counterpart.

A sweep of another name gets a table too (`of_sweep`), without a paper column.
"""

from dataclasses import dataclass
from typing import Any, Literal

from clip_hparam.analysis.evidence.published import LADDER, Published


@dataclass(frozen=True)
class Ablation:
    """One table: which sweep it reads and how.

    A row's difference is taken to the row before (`previous`) or to the design's first cell
    (`first`). With `order` "value" rows are sorted by their knobs, else they keep the design's
    order. Without `knobs` a row says what changed against the row that it is compared with.
    `drawn` is the kind of its figure.
    """

    name: str
    title: str
    row: str = "cell"
    knobs: tuple[str, ...] = ()
    against: Literal["previous", "first"] = "first"
    order: Literal["design", "value"] = "design"
    metric: str = "test_acc1"
    paper: tuple[Published, ...] = ()
    caveat: str = ""
    drawn: Literal["ladder", "levels", "map", "effects", "factorial", "sample"] = "levels"


def _one_knob(name: str, title: str, *knobs: str) -> Ablation:
    return Ablation(name, title, knobs=knobs or (name,), order="value")


_ALL = (
    Ablation(
        "ladder",
        "The fine-tuning ladder",
        row="rung",
        against="previous",
        paper=LADDER,
        caveat="Cumulative, not re-tuned: a rung keeps all changes of the rungs before it.",
        drawn="ladder",
    ),
    _one_knob("lr", "Learning rate"),
    _one_knob("layer_decay", "Layer-wise learning-rate decay"),
    _one_knob("ema", "Moving average of the weights", "ema_decay"),
    _one_knob("drop_path", "Stochastic depth"),
    Ablation("augment", "Augmentation"),
    _one_knob("label_smoothing", "Label smoothing"),
    _one_knob("epochs", "Epochs"),
    _one_knob("resolution", "Resolution"),
    Ablation("freeze", "Frozen parameters", knobs=("freeze",)),
    Ablation(
        "lr_x_layer_decay",
        "Learning rate and layer decay together",
        knobs=("lr", "layer_decay"),
        order="value",
        drawn="map",
    ),
    Ablation("factorial", "All combinations of four changes", drawn="factorial"),
    Ablation("fractional", "A fraction of all combinations", drawn="factorial"),
    Ablation("leave_one_out", "The full recipe without one change", drawn="effects"),
)
ABLATIONS = {ablation.name: ablation for ablation in _ALL}


BY_KIND: dict[str, dict[str, Any]] = {  # how a sweep of another name is read
    "ladder": {"row": "rung", "against": "previous"},
    "leave_one_out": {"drawn": "effects"},
    "factorial": {"drawn": "factorial"},
    "fractional": {"drawn": "factorial"},
    "random": {"drawn": "sample"},
    "sobol": {"drawn": "sample"},
    "search": {"drawn": "sample"},
}


def of_sweep(name: str, kind: str = "") -> Ablation:
    """The ablation that reads the sweep of this name; one of its kind where we know none."""
    return ABLATIONS.get(name) or Ablation(name, f"Sweep {name}", **BY_KIND.get(kind, {}))
