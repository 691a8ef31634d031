"""The progress of a trial: its rows, its selected epoch, and what goes into a checkpoint."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from clip_hparam.records.metrics import selection_key
from clip_hparam.training.engine import EvalResult, TrainState

StateDicts = dict[str, dict[str, torch.Tensor]]


@dataclass
class Progress:
    """Progress of a trial over all its attempts.

    rows: rows of metrics.jsonl.
    selected: the epoch with the best selection accuracy; -1 before the first epoch.
    best: accuracy and negative loss of that epoch on the selection set.
    weights: copies of the models of that epoch by name, "raw" and "ema".
    seconds, train_seconds: time spent in all, and in training steps.
    losses: the loss of each step of the current epoch so far.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    selected: int = -1
    best: tuple[float, float] = (-1.0, 0.0)
    weights: StateDicts = field(default_factory=dict)
    seconds: float = 0.0
    train_seconds: float = 0.0
    losses: list[torch.Tensor] = field(default_factory=list)

    def add_epoch(self, row: dict[str, Any], models: dict[str, nn.Module]) -> None:
        """Append the row of an epoch, and select the epoch if it is better than all before.

        The reported weights are compared by their accuracy on the selection set; ties, which are
        the rule on small sets, go to the lower loss, then to the earlier epoch.
        """
        self.rows.append(row)
        key = selection_key(row)
        if key > self.best:
            self.selected, self.best = row["epoch"], key
            self.weights = {name: cpu_state_dict(model) for name, model in models.items()}


def cpu_state_dict(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


def checkpoint_state(state: TrainState, progress: Progress) -> dict[str, Any]:
    """Return all that a trial needs to resume in the same bits: plain types and tensors only."""
    return {
        "models": {name: model.state_dict() for name, model in state.eval_models.items()},
        "optimizer": state.optimizer.state_dict(),
        "scaler": state.scaler.state_dict(),
        "progress": asdict(progress),
    }


def restore_checkpoint(state: TrainState, checkpoint: dict[str, Any]) -> Progress:
    """Load the content of a checkpoint into the state and return the progress in it."""
    for name, model in state.eval_models.items():
        model.load_state_dict(checkpoint["models"][name])
    state.optimizer.load_state_dict(checkpoint["optimizer"])
    state.scaler.load_state_dict(checkpoint["scaler"])
    progress = Progress(**checkpoint["progress"])
    progress.losses = [loss.to(state.device) for loss in progress.losses]
    return progress


def metric_columns(split: str, weights: str, scores: EvalResult | None) -> dict[str, float | None]:
    """Return scores by their column in a row of metrics.jsonl: "test_acc1.ema", ...

    scores: None where the weights were not evaluated.
    """
    return {
        f"{split}_{metric}.{weights}": None if scores is None else float(getattr(scores, metric))
        for metric in ("acc1", "acc5", "loss")
    }
