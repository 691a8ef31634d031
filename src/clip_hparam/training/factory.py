"""Create the model, optimizer, schedule and EMA of a trial from its resolved recipe."""

from functools import partial

import torch

from clip_hparam.config.machine import Machine
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.config.steps import total_steps, warmup_steps
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.model.classifier import Classifier, freeze, set_drop_path, set_resolution
from clip_hparam.model.kernels.block import FUSED, use_fused_kernels
from clip_hparam.model.tower import build_tower
from clip_hparam.model.trained import LORA
from clip_hparam.model.tuning.logit_scale import IN_HEAD, separate_logit_scale
from clip_hparam.model.tuning.lora import add_lora
from clip_hparam.planning.estimates.memory import mixes_rows, predict_memory
from clip_hparam.training.compilation.modules import compile_model
from clip_hparam.training.device.numerics import KernelChoice, choose_kernels, device_of
from clip_hparam.training.head_start.start import start_head
from clip_hparam.training.memory.micro_batch import choose_micro_batch
from clip_hparam.training.optim.adamw import FlatAdamW
from clip_hparam.training.optim.ema import WeightEma
from clip_hparam.training.optim.flat_parameters import FlatParameters
from clip_hparam.training.optim.lr_schedule import lr_schedule
from clip_hparam.training.optim.param_groups import param_groups
from clip_hparam.training.ranks.replica import Replica
from clip_hparam.training.train_state import TrainState

INITIAL_LOSS_SCALE = 2.0**7  # the official run: starts at 128, doubles after 128 clean steps


def create_model(
    recipe: ResolvedRecipe, classes: int, device: torch.device | None = None
) -> Classifier:
    """Return the model on the CPU as it is before the first step.

    Low-rank updates and the logit scale, which change no output before the first step, are added
    by `create_train_state`.
    device: computes the head of head_init=zero_shot and linear_probe; None is the CPU.
    """
    tower = build_tower(recipe.encoder, recipe.seed, recipe.resolution)
    model = Classifier(tower, classes, recipe.pool)
    set_resolution(model, recipe.resolution)
    set_drop_path(model, recipe.drop_path)
    start_head(model, recipe, device)
    freeze(model, recipe.freeze, recipe.tune)
    return model


def create_train_state(
    recipe: ResolvedRecipe,
    machine: Machine,
    model: Classifier,
    context: DistributedContext = SINGLE_PROCESS,
    kernels: KernelChoice | None = None,
    micro_batch: int | None = None,
) -> TrainState:
    """Move the model to its device and return it with its optimizer, schedule and EMA.

    kernels, micro_batch: modules of the tower, and images of this rank in a forward pass; None:
        those of a new trial on this machine.
    """
    device = device_of(machine, context.local_rank)
    classes = model.head.out_features
    if micro_batch is None:
        micro_batch = choose_micro_batch(recipe, machine, device, classes, context)
    tokens = len(model.positional_embedding)
    choice = kernels or choose_kernels(machine, device, recipe.precision, tokens)
    model = _prepare_model(model, recipe, choice, device)
    weights, optimizer = _create_optimizer(model, recipe)
    model.transformer.grad_checkpointing = machine.activation_checkpointing
    return TrainState(
        model=model,
        replica=Replica(model, context, recipe.resolution),
        weights=weights,
        ema=create_ema(model, weights, recipe.ema_decay),
        optimizer=optimizer,
        scaler=_create_scaler(recipe.precision, device),
        schedule=lr_schedule(recipe.lr, recipe.min_lr, total_steps(recipe), warmup_steps(recipe)),
        device=device,
        predict_memory=partial(predict_memory, recipe, machine, classes),
        precision=recipe.precision,
        clip_grad=recipe.clip_grad,
        micro_batch=micro_batch,
        context=context,
        smallest_micro_batch=2 if mixes_rows(recipe) else 1,
    )


def _prepare_model(
    model: Classifier, recipe: ResolvedRecipe, choice: KernelChoice, device: torch.device
) -> Classifier:
    """Return the model on its device with the modules and parameters that it trains with."""
    if choice.kernels == FUSED:
        use_fused_kernels(model, choice.attention)
    if recipe.tune == LORA:
        add_lora(model, recipe.freeze, recipe.lora_rank, recipe.lora_alpha, recipe.seed)
    if recipe.logit_scale != IN_HEAD:
        separate_logit_scale(model, recipe.logit_scale)
    model = model.to(device)
    if choice.compile:
        compile_model(model, device)
    return model


def _create_optimizer(
    model: Classifier, recipe: ResolvedRecipe
) -> tuple[FlatParameters, FlatAdamW]:
    """Return the parameters that are trained, in the order of their groups, and their optimizer."""
    groups = param_groups(
        model.named_parameters(), len(model.blocks), recipe.layer_decay, recipe.weight_decay
    )
    weights = FlatParameters(model, [name for group in groups for name in group.parameters])
    return weights, FlatAdamW(groups, weights, (recipe.beta1, recipe.beta2), recipe.eps)


def _create_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler:
    """Return the loss scaler, which has no effect for another precision than fp16."""
    return torch.amp.GradScaler(
        device.type,
        init_scale=INITIAL_LOSS_SCALE,
        growth_interval=int(INITIAL_LOSS_SCALE),
        enabled=precision == "fp16",
    )


def create_ema(model: Classifier, weights: FlatParameters, decay: float) -> WeightEma | None:
    """Return an EMA in fp32 that starts at the current weights; None if decay is 0.

    Source: FT-CLIP.
    """
    return WeightEma(model, weights, decay) if decay > 0 else None
