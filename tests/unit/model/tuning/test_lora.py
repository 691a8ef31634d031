"""Low-rank updates: no change before the first step, in both kernels, and exact when merged."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, freeze
from clip_hparam.model.depth import depth_of
from clip_hparam.model.kernels.block import use_fused_kernels
from clip_hparam.model.tower import create_tower
from clip_hparam.model.trained import is_adapted
from clip_hparam.model.tuning.lora import add_lora
from clip_hparam.model.tuning.plain_weights import plain_weights
from clip_hparam.training.optim.param_groups import param_groups

RANK, ALPHA, PX = 3, 6.0, 32
Kernel = Callable[[Classifier], None]


def reference(model: Classifier) -> None:
    """Keep open_clip's modules."""


def fused(model: Classifier) -> None:
    use_fused_kernels(model, "sdpa")


def explicit(model: Classifier) -> None:
    use_fused_kernels(model, "explicit")


KERNELS = pytest.mark.parametrize("kernel", [reference, fused, explicit])


def plain(kernel: Kernel, frozen: str = "patch") -> Classifier:
    torch.manual_seed(0)
    model = Classifier(create_tower(model_config("tiny")), 5)
    freeze(model, frozen, "lora")
    kernel(model)
    return model.eval()


def adapted(kernel: Kernel, frozen: str = "patch", seed: int = 0) -> Classifier:
    model = plain(kernel, frozen)
    add_lora(model, frozen, RANK, ALPHA, seed)
    return model


def updated(kernel: Kernel) -> Classifier:
    """Return a model whose updates are not 0."""
    model = adapted(kernel)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("lora_up"):
                parameter.normal_(std=0.1, generator=generator)
    return model


def images() -> Tensor:
    return torch.randn(4, 3, PX, PX, generator=torch.Generator().manual_seed(2))


def outputs(model: Classifier, training: bool) -> Tensor:
    """Return the logits of a step, or those of an evaluation."""
    with torch.set_grad_enabled(training):
        return model.train(training)(images())


@KERNELS
@pytest.mark.parametrize("training", [False, True])
def test_new_updates_change_no_bit(kernel: Kernel, training: bool) -> None:
    assert torch.equal(outputs(adapted(kernel), training), outputs(plain(kernel), training))


@KERNELS
def test_updates_of_all_four_matrices_have_an_effect_and_a_gradient(kernel: Kernel) -> None:
    model = updated(kernel)
    assert not torch.equal(model(images()), plain(kernel)(images()))
    model.train()(images()).square().sum().backward()
    gradients = {name: one.grad for name, one in model.named_parameters() if one.requires_grad}
    assert len([name for name in gradients if "lora" in name]) == 4 * 2 * len(model.blocks)
    assert all(one is not None and one.abs().max() > 0 for one in gradients.values())


@KERNELS
@pytest.mark.parametrize("training", [False, True])
def test_merged_weights_give_the_bits_of_the_model(kernel: Kernel, training: bool) -> None:
    model, merged = updated(kernel), plain(kernel)
    merged.load_state_dict(plain_weights(model, model.state_dict()))
    assert torch.equal(outputs(merged, training), outputs(model, training))


def test_the_kernels_share_names_and_first_updates() -> None:
    states = [adapted(kernel).state_dict() for kernel in (reference, fused)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_update_is_alpha_over_rank_times_the_product() -> None:
    model = updated(reference)
    name, prefix = "blocks.0.mlp.c_fc", "transformer.resblocks.0.mlp.c_fc.parametrizations.weight"
    state = model.state_dict()
    product = ALPHA / RANK * state[f"{prefix}.0.lora_up"] @ state[f"{prefix}.0.lora_down"]
    weight = model.get_submodule(name.replace("blocks", "transformer.resblocks")).weight
    torch.testing.assert_close(weight, state[f"{prefix}.original"] + product)


def test_matrices_below_the_frozen_depth_are_not_adapted() -> None:
    names = [name for name, _ in adapted(reference, "first_4").named_parameters()]
    blocks = {name.split(".")[2] for name in names if "lora" in name}
    assert blocks == {"4", "5"}
    assert is_adapted("transformer.resblocks.4.mlp.c_fc.weight", "first_4", 6)


def test_the_seed_draws_the_first_updates() -> None:
    first, same, other = (adapted(reference, seed=seed).state_dict() for seed in (0, 0, 1))
    down = [name for name in first if name.endswith("lora_down")]
    assert all(torch.equal(first[name], same[name]) for name in down)
    assert not any(torch.equal(first[name], other[name]) for name in down)
    assert len({float(first[name].flatten()[0]) for name in down}) == len(down)


def test_updates_have_the_lr_of_their_block_and_weight_decay() -> None:
    model = adapted(reference)
    groups = param_groups(model.named_parameters(), len(model.blocks), 0.5, 0.1)
    found = {name: group for group in groups for name in group.parameters}
    assert set(found) == {name for name, one in model.named_parameters() if one.requires_grad}
    for name in (name for name in found if "lora" in name):
        depth = int(name.split(".")[2]) + 1
        assert depth_of(name, 6) == found[name].depth == depth
        assert (found[name].lr_scale, found[name].weight_decay) == (0.5 ** (7 - depth), 0.1)


def test_a_product_stays_fp32_under_autocast() -> None:
    model = updated(fused)
    block = model.blocks[0]
    with torch.autocast("cpu", torch.bfloat16):
        under = block.mlp.c_fc.weight
    assert torch.equal(under, block.mlp.c_fc.weight)
    assert under.dtype == torch.float32
