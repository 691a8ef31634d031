"""What a trial has so far: its rows, its selected epoch, and how both go into a checkpoint."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from clip_hparam.training.engine import EvalResult, TrainState, eval_models

StateDicts = dict[str, dict[str, torch.Tensor]]


@dataclass
class Progress:
    """Rows of metrics.jsonl, the selected epoch and its weights, and the seconds spent.

    `losses` are those of the steps of the epoch under way.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    selected: int = -1
    best: tuple[float, float] = (-1.0, 0.0)
    weights: StateDicts = field(default_factory=dict)
    seconds: float = 0.0
    train_seconds: float = 0.0
    losses: list[torch.Tensor] = field(default_factory=list)

    def add_epoch(self, row: dict[str, Any], models: dict[str, nn.Module]) -> None:
        """Take an epoch's row; it becomes the selected one if it is better than all before.

        Better is a higher accuracy on the selection set, of the EMA weights where there are any;
        on small selection sets ties are the rule, and go to the lower loss, then to the earlier.
        The weights of the selected epoch are copied.
        """
        self.rows.append(row)
        name = list(models)[-1]
        merit = (row[f"selection_acc1.{name}"], -row[f"selection_loss.{name}"])
        if merit > self.best:
            self.selected, self.best = row["epoch"], merit
            self.weights = {name: cpu_state_dict(model) for name, model in models.items()}


def cpu_state_dict(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


def checkpoint_state(fit: TrainState, progress: Progress) -> dict[str, Any]:
    """All that a run needs to go on in the same bits; plain types and tensors only."""
    return {
        "models": {name: model.state_dict() for name, model in eval_models(fit).items()},
        "optimizer": fit.optimizer.state_dict(),
        "scaler": fit.scaler.state_dict(),
        "progress": asdict(progress),
    }


def restore_checkpoint(fit: TrainState, state: dict[str, Any]) -> Progress:
    for name, model in eval_models(fit).items():
        model.load_state_dict(state["models"][name])
    fit.optimizer.load_state_dict(state["optimizer"])
    fit.scaler.load_state_dict(state["scaler"])
    progress = Progress(**state["progress"])
    progress.losses = [loss.to(fit.device) for loss in progress.losses]
    return progress


def metric_columns(split: str, weights: str, scores: EvalResult) -> dict[str, float]:
    """Scores under the names of a row: "test_acc1.ema", ..."""
    values = {"acc1": scores.acc1, "acc5": scores.acc5, "loss": scores.loss}
    return {f"{split}_{metric}.{weights}": value for metric, value in values.items()}
