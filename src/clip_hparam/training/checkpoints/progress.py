"""The progress of a trial: its rows, its selected epoch, and the weights of that epoch."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from clip_hparam.data.dataset import SELECTION
from clip_hparam.data.evaluation_sets.load import PREFIX
from clip_hparam.records.metrics import selection_key
from clip_hparam.training.evaluation import EvalResult
from clip_hparam.training.metrics.registry import ACCURACY_METRICS, metric_values


@dataclass
class Selection:
    """The epoch with the best selection accuracy.

    weights: trained weights of that epoch by model, "raw" and "ema": flat, in host memory. Empty in
        ranks other than 0.
    file: name and sha256 of the file beside the checkpoints that holds them; None before a save.
    """

    epoch: int
    weights: dict[str, Tensor]
    file: tuple[str, str] | None = None


@dataclass
class Progress:
    """Progress of a trial over all its attempts.

    rows: rows of metrics.jsonl.
    selection: None before the end of the first epoch.
    best: accuracy and negative loss of the selected epoch on the selection set.
    seconds, train_seconds: time spent in all, and in training steps.
    losses: the loss of each step of the current epoch so far.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    selection: Selection | None = None
    best: tuple[float, float] = (-1.0, 0.0)
    seconds: float = 0.0
    train_seconds: float = 0.0
    losses: list[Tensor] = field(default_factory=list)
    _training_since: float | None = None

    @property
    def selected(self) -> int:
        """The selected epoch; -1 before the first one ends."""
        return -1 if self.selection is None else self.selection.epoch

    @property
    def selected_weights(self) -> Mapping[str, Tensor]:
        """The flat weights of the selected epoch by model, in rank 0; empty in the others."""
        return {} if self.selection is None else self.selection.weights

    def add_epoch(self, row: dict[str, Any], weights: Mapping[str, Tensor]) -> None:
        """Append the row of an epoch, and select the epoch if it is better than all before.

        The reported weights are compared by their accuracy on the selection set; ties, which are
        the rule on small sets, go to the lower loss, then to the earlier epoch.
        weights: flat weights by model, which are copied to host memory.
        """
        self.rows.append(row)
        key = selection_key(row)
        if key > self.best:
            self.best = key
            self.selection = Selection(row["epoch"], copy_to_host(weights))

    @contextmanager
    def count_training(self) -> Iterator[None]:
        """Add the time of the `with` block to the seconds."""
        self._training_since = time.monotonic()
        try:
            yield
        finally:
            running = self.running_seconds()
            self._training_since = None
            self.train_seconds += running
            self.seconds += running

    def running_seconds(self) -> float:
        """Return the time since the start of a `count_training` block; 0 outside."""
        return 0.0 if self._training_since is None else time.monotonic() - self._training_since


def copy_to_host(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies in host memory."""
    return {name: flat.to("cpu", copy=True) for name, flat in weights.items()}


def metric_columns(split: str, weights: str, scores: EvalResult | None) -> dict[str, float | None]:
    """Return scores by their column in a row of metrics.jsonl: "test_acc1.ema", ...

    scores: None where the weights were not evaluated.
    """
    return {
        f"{_prefix(split)}{metric}.{weights}": None
        if scores is None
        else float(getattr(scores, metric))
        for metric in ACCURACY_METRICS
    }


def detail_columns(split: str, weights: str, scores: EvalResult) -> dict[str, float]:
    """Return the metrics of the predictions by their column in result.json: "test_ece.ema", ...

    The temperature is that of the selection set.
    """
    if scores.predictions is None:
        return {}
    values = metric_values(scores.predictions)
    if split == SELECTION:
        values["temperature"] = scores.predictions.temperature
    return {f"{_prefix(split)}{name}.{weights}": value for name, value in values.items()}


def _prefix(split: str) -> str:
    """Return the start of a column: "test_", "eval.sketch."."""
    return f"{split}." if split.startswith(PREFIX) else f"{split}_"
