"""A small checkpoint with tensors that contain the step that wrote it."""

from pathlib import Path
from typing import Any

import torch

from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.checkpoints.content import Content
from clip_hparam.training.checkpoints.progress import Selection
from clip_hparam.training.checkpoints.snapshot import Snapshot
from clip_hparam.training.checkpoints.state_file import Part

SHAPES = {"weight": (10, 15), "bias": (50,)}


def content_of(step: int, selection: Selection | None = None) -> Content:
    """Return a state of two parameters and one model, all of whose values are the step."""
    flat = torch.full((200,), float(step))
    named = {
        prefix: Part(flat.clone(), {f"{prefix}.{name}": shape for name, shape in SHAPES.items()})
        for prefix in ("raw", "exp_avg", "exp_avg_sq")
    }
    progress = {"rows": [{"lr": 0.1}], "selected": -1, "best": [-1.0, 0.0]}
    return Content(
        changing=list(named.values()),
        constant=[Part(torch.tensor([float(step)]), {"step": (1,)})],
        facts={
            "trained": list(SHAPES),
            "models": ["raw"],
            "param_groups": [],
            "scaler": {},
            "progress": {**progress, "seconds": 1.5, "train_seconds": 1.0},
        },
        selection=selection,
        selected=()
        if selection is None
        else (named["raw"]._replace(flat=selection.weights["raw"]),),
    )


def save(folder: Path, step: int, selection: Selection | None = None) -> None:
    """Write the checkpoint of a step."""
    content = content_of(step, selection)
    tensors = [part.flat for part in (*content.changing, *content.constant)]
    checkpoint.save(folder, step, content, Snapshot(tensors))


def step_of(loaded: dict[str, Any]) -> int:
    """Return the step of a loaded state, whose tensors must all have its value."""
    step = int(loaded["optimizer"]["state"][0]["step"])
    expected = {name: torch.full(shape, float(step)) for name, shape in SHAPES.items()}
    tensors = loaded["models"]["raw"]
    assert all(torch.equal(tensors[name], expected[name]) for name in SHAPES)
    assert tensors.keys() == expected.keys()
    return step
