"""From a resolved Recipe to a model in training."""

import platform
from pathlib import Path

import torch

from clip_hparam.config.machine import Machine, Numerics
from clip_hparam.config.recipe import Recipe
from clip_hparam.data.datasets import source
from clip_hparam.distributed import ALONE, Ranks
from clip_hparam.model.architectures import TINY
from clip_hparam.model.classifier import (
    Classifier,
    freeze,
    init_head,
    set_drop_path,
    set_head,
    set_resolution,
)
from clip_hparam.model.weights import Say, build_tower, silent
from clip_hparam.model.zero_shot_head import head_weights
from clip_hparam.planning.resolve import total_steps, warmup_steps
from clip_hparam.training.engine import LOSS_SCALE, Fit, adamw, moving_average
from clip_hparam.training.lr_schedule import lr_schedule
from clip_hparam.training.param_groups import parameter_groups


def classifier(recipe: Recipe, classes: int, say: Say = silent) -> Classifier:
    """The model as it is before the first step; `say` is told which weights were not used."""
    model = Classifier(build_tower(recipe.encoder, recipe.seed, say), classes, recipe.pool)
    set_resolution(model, int(recipe.resolution))
    set_drop_path(model, recipe.drop_path)
    if recipe.head_init == "zero_shot":
        names = source(recipe.data).classes
        set_head(model, head_weights(recipe.encoder, recipe.data.name, names))
    else:
        init_head(model, recipe.head_init_scale, recipe.seed)
    freeze(model, recipe.freeze)
    return model


def fit_of(recipe: Recipe, machine: Machine, model: Classifier, ranks: Ranks = ALONE) -> Fit:
    """The model with the groups, optimiser, schedule and EMA of a trial, on its device."""
    device = device_of(machine, ranks.local)
    model = model.to(device)
    groups = parameter_groups(
        model.named_parameters(), len(model.blocks), recipe.layer_decay, recipe.weight_decay
    )
    return Fit(
        model=model,
        ema=moving_average(model, float(recipe.ema_decay)),
        optimizer=adamw(groups, (recipe.beta1, recipe.beta2), recipe.eps),
        scaler=torch.amp.GradScaler(
            device.type,
            init_scale=LOSS_SCALE,
            growth_interval=int(LOSS_SCALE),
            enabled=recipe.precision == "fp16",
        ),
        schedule=lr_schedule(recipe.lr, recipe.min_lr, total_steps(recipe), warmup_steps(recipe)),
        device=device,
        precision=recipe.precision,
        clip_grad=recipe.clip_grad,
        micro_batch=machine.micro_batch // ranks.world,
        ranks=ranks,
    )


def device_of(machine: Machine, local: int = 0) -> torch.device:
    """Where rank `local` of this computer computes. Raises ValueError for a GPU not there.

    A scheduler may show each rank a GPU of its own only, which is the first to all of them.
    """
    if machine.device in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda", local % torch.cuda.device_count())
    if machine.device == "auto":
        return torch.device("cpu")
    if machine.device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"machine.device={machine.device}, but torch sees no GPU: try machine.device=cpu"
        )
    return torch.device(machine.device)


def numerics_of(recipe: Recipe, machine: Machine) -> Numerics:
    """What the bits of a trial depend on, on this machine."""
    device = device_of(machine)
    on_gpu = device.type == "cuda"
    return Numerics(
        device=device.type,
        device_name=torch.cuda.get_device_name(device) if on_gpu else _processor(),
        threads=1 if recipe.encoder.name == TINY else machine.threads,
        attention="sdpa",
        compile=False,
        deterministic=torch.are_deterministic_algorithms_enabled(),
    )


def _processor() -> str:
    """The CPU's own name where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
