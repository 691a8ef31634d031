"""What a checkpoint holds: trained weights, EMA, moments and progress, and the selected weights.

A checkpoint is four times the trained weights; frozen weights are in it once. The selected weights,
twice the trained ones, are in a file of their own that is written once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from clip_hparam.training.checkpoints.progress import Progress, Selection
from clip_hparam.training.checkpoints.state_file import Part
from clip_hparam.training.optim.adamw import MOMENTS
from clip_hparam.training.train_state import TrainState

FROZEN, LOSSES, STEP = "frozen", "losses", "step"


@dataclass(frozen=True)
class Content:
    """The state of a trial after a step.

    changing, constant: flat tensors; training overwrites the first ones.
    facts: all that is no tensor, as JSON.
    selection: with its tensors; None before the first epoch ends.
    """

    changing: list[Part]
    constant: list[Part]
    facts: dict[str, Any]
    selection: Selection | None = None
    selected: tuple[Part, ...] = ()

    @property
    def bytes_of_weights(self) -> int:
        """Size of the trained and frozen weights."""
        frozen = [part for part in self.constant if next(iter(part.shapes)).startswith(FROZEN)]
        return sum(part.flat.nbytes for part in (self.changing[0], *frozen))


def checkpoint_content(state: TrainState, progress: Progress) -> Content:
    """Return all that a trial needs to resume in the same bits."""
    trained = {
        name: parameter.shape
        for name, parameter in zip(state.weights.names, state.weights.parameters, strict=True)
    }
    flats = state.flat_weights | dict(state.optimizer.moments)
    selection, running = progress.selection, progress.running_seconds()
    return Content(
        changing=[_part(model, trained, flat) for model, flat in flats.items()],
        constant=[*_frozen_parts(state), *_scalar_parts(state, progress)],
        facts={
            "trained": list(trained),
            "models": list(state.flat_weights),
            "param_groups": state.optimizer.state_dict()["param_groups"],
            "scaler": state.scaler.state_dict(),
            "progress": {
                "rows": list(progress.rows),
                "selected": progress.selected,
                "best": progress.best,
                "seconds": progress.seconds + running,
                "train_seconds": progress.train_seconds + running,
            },
        },
        selection=selection,
        selected=tuple(
            _part(model, trained, flat) for model, flat in progress.selected_weights.items()
        ),
    )


def nested_state(
    facts: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    selected: Mapping[str, Tensor] | None = None,
    file: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return a state in the layout of earlier versions: state dicts of modules and optimizer."""
    trained, models = facts["trained"], facts["models"]
    frozen = {
        name.removeprefix(f"{FROZEN}."): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{FROZEN}.")
    }
    moments = {
        index: {name: tensors[f"{name}.{parameter}"] for name in MOMENTS}
        for index, parameter in enumerate(trained)
    }
    return {
        "models": {model: {**frozen, **_of_model(model, trained, tensors)} for model in models},
        "optimizer": {
            "state": {at: {STEP: tensors[STEP][0], **pair} for at, pair in moments.items()},
            "param_groups": facts["param_groups"],
        },
        "scaler": facts["scaler"],
        "progress": {
            **facts["progress"],
            "weights": {model: _of_model(model, trained, selected) for model in models}
            if selected
            else {},
            "file": file,
            LOSSES: list(tensors.get(LOSSES, ())),
        },
    }


def restore_checkpoint(state: TrainState, checkpoint: dict[str, Any]) -> Progress:
    """Load a nested state into the state of a trial and return the progress in it."""
    for name, model in state.eval_models.items():
        model.load_state_dict(checkpoint["models"][name])
    state.optimizer.load_state_dict(checkpoint["optimizer"])
    state.scaler.load_state_dict(checkpoint["scaler"])
    saved = checkpoint["progress"]
    return Progress(
        rows=saved["rows"],
        selection=_selection(state, saved),
        best=tuple(saved["best"]),
        seconds=saved["seconds"],
        train_seconds=saved["train_seconds"],
        losses=[loss.to(state.device) for loss in saved[LOSSES]],
    )


def _selection(state: TrainState, saved: Mapping[str, Any]) -> Selection | None:
    if saved["selected"] < 0:
        return None
    weights = {
        model: torch.cat([tensors[name].flatten() for name in state.weights.names])
        for model, tensors in saved["weights"].items()
        if state.context.is_main
    }
    return Selection(saved["selected"], weights, saved.get("file"))


def _part(prefix: str, shapes: Mapping[str, torch.Size], flat: Tensor) -> Part:
    return Part(flat, {f"{prefix}.{name}": shape for name, shape in shapes.items()})


def _frozen_parts(state: TrainState) -> list[Part]:
    """Return the weights that all models share."""
    trained = set(state.weights.names)
    return [
        Part(tensor.detach().contiguous().flatten(), {f"{FROZEN}.{name}": tensor.shape})
        for name, tensor in state.model.state_dict().items()
        if name not in trained
    ]


def _scalar_parts(state: TrainState, progress: Progress) -> list[Part]:
    """Return copies of the optimizer's step and of the losses of the epoch."""
    scalars = {STEP: state.optimizer.steps_done.reshape(1).clone()}
    if progress.losses:
        scalars[LOSSES] = torch.stack(progress.losses)
    return [Part(flat, {name: flat.shape}) for name, flat in scalars.items()]


def _of_model(model: str, names: list[str], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors[f"{model}.{name}"] for name in names}
