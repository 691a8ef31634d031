"""Plain weights of a model without parametrizations are its state dict."""

import torch

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier
from clip_hparam.model.tower import create_tower
from clip_hparam.model.tuning.lora import add_lora
from clip_hparam.model.tuning.plain_weights import plain_weights


def test_a_plain_model_stays_as_it_is() -> None:
    model = Classifier(create_tower(model_config("tiny")), 3)
    state = model.state_dict()
    plain = plain_weights(model, state)
    assert plain.keys() == state.keys()
    assert all(plain[name] is state[name] for name in state)


def test_given_values_are_merged_and_not_those_of_the_model() -> None:
    model = Classifier(create_tower(model_config("tiny")), 3)
    names = set(model.state_dict())
    add_lora(model, "none", 2, 2.0, seed=0)
    given = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    prefix = "transformer.resblocks.0.mlp.c_proj.parametrizations.weight"
    given[f"{prefix}.0.lora_up"].fill_(1.0)
    plain = plain_weights(model, given)
    assert set(plain) == names
    rows = given[f"{prefix}.0.lora_down"].sum(0)
    expected = given[f"{prefix}.original"] + rows
    torch.testing.assert_close(plain["transformer.resblocks.0.mlp.c_proj.weight"], expected)
    assert f"{prefix}.original" in given
