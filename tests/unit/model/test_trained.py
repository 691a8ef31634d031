"""Parameters that freeze and tune leave trainable, by their names."""

import pytest

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, freeze
from clip_hparam.model.tower import create_tower
from clip_hparam.model.trained import is_adapted, trained_predicate

NAMES = [name for name, _ in Classifier(create_tower(model_config("tiny")), 3).named_parameters()]
BLOCKS = 6
NEW = {"head.weight", "head.bias", "fc_norm.weight", "fc_norm.bias"}


@pytest.mark.parametrize("frozen", ["none", "patch", "first_2"])
def test_bias_trains_biases_and_new_layers(frozen: str) -> None:
    full, bias = (trained_predicate(frozen, tune, BLOCKS) for tune in ("full", "bias"))
    trained = {name for name in NAMES if bias(name)}
    assert trained == NEW | {name for name in NAMES if full(name) and name.endswith("bias")}
    assert "transformer.resblocks.5.attn.in_proj_bias" in trained
    assert ("transformer.resblocks.1.mlp.c_fc.bias" in trained) == (frozen != "first_2")


def test_lora_trains_updates_and_new_layers() -> None:
    lora = trained_predicate("first_2", "lora", BLOCKS)
    assert {name for name in NAMES if lora(name)} == NEW
    assert lora("transformer.resblocks.2.attn.parametrizations.in_proj_weight.0.lora_up")
    assert not lora("transformer.resblocks.2.attn.parametrizations.in_proj_weight.original")
    assert not lora("transformer.resblocks.1.mlp.c_fc.weight.lora_down")


def test_four_matrices_of_each_block_that_is_not_frozen_are_adapted() -> None:
    assert sum(is_adapted(name, "none", BLOCKS) for name in NAMES) == 4 * BLOCKS
    adapted = [name for name in NAMES if is_adapted(name, "first_4", BLOCKS)]
    assert len(adapted) == 8
    assert all(name.split(".")[2] in ("4", "5") for name in adapted)


def test_full_is_the_rule_of_freeze_alone() -> None:
    model = Classifier(create_tower(model_config("tiny")), 3)
    freeze(model, "first_3")
    full = trained_predicate("first_3", "full", BLOCKS)
    assert {name: full(name) for name in NAMES} == {
        name: parameter.requires_grad for name, parameter in model.named_parameters()
    }
