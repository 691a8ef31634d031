"""The logit scale apart from the head: the same outputs, trained or not, merged when kept."""

import pytest
import torch

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, set_head
from clip_hparam.model.tower import create_tower
from clip_hparam.model.tuning.logit_scale import separate_logit_scale
from clip_hparam.model.tuning.plain_weights import plain_weights

SCALE = 100.0


def zero_shot() -> Classifier:
    torch.manual_seed(0)
    model = Classifier(create_tower(model_config("tiny")), 5, "clip")
    rows = torch.randn(5, model.head.in_features)
    set_head(model, SCALE * rows / rows.norm(dim=1, keepdim=True))
    return model.eval()


@pytest.mark.parametrize(("how", "is_trained"), [("fixed", False), ("trained", True)])
def test_rows_are_unit_and_outputs_stay(how: str, is_trained: bool) -> None:
    model, before = zero_shot(), zero_shot()
    separate_logit_scale(model, how)
    parameters = dict(model.named_parameters())
    scale = parameters["head.parametrizations.weight.0.logit_scale"]
    assert scale.requires_grad == is_trained
    assert scale.exp().item() == pytest.approx(SCALE, rel=1e-5)
    norms = parameters["head.parametrizations.weight.original"].norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(5))
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(model(images), before(images), rtol=1e-4, atol=1e-4)


def test_kept_weights_hold_the_scale() -> None:
    model, plain = zero_shot(), zero_shot()
    separate_logit_scale(model, "trained")
    with torch.no_grad():
        model.get_parameter("head.parametrizations.weight.0.logit_scale").add_(0.5)
    plain.load_state_dict(plain_weights(model, model.state_dict()))
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(plain(images), model(images))
