"""Models of evaluation sets predict groups of classes, or CLIP's own classes."""

import torch
from torch import Tensor, nn

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.data.evaluation_sets.generated_sets import load_glyphs
from clip_hparam.model.classifier import Classifier
from clip_hparam.model.tower import build_tower
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.final.set_models import (
    GroupedClasses,
    divide_logits,
    zero_shot_classifier,
)


class Fixed(nn.Module):
    """Returns its input as logits."""

    def forward(self, logits: Tensor) -> Tensor:
        return logits


def test_a_group_has_the_logit_of_its_best_class() -> None:
    model = GroupedClasses(Fixed(), torch.tensor([1, -1, 0, 1]))
    logits = torch.tensor([[1.0, 9.0, 2.0, 3.0], [-5.0, 9.0, -7.0, -6.0]])
    assert model(logits).tolist() == [[2.0, 3.0], [-7.0, -5.0]]


def test_divided_logits_are_those_of_the_model_over_the_temperature() -> None:
    models = {"raw": Fixed()}
    assert divide_logits(models, 1.0) is models
    logits = torch.tensor([[1.0, -4.0]], dtype=torch.float16)
    divided = divide_logits(models, 4.0)["raw"](logits)
    assert (divided.tolist(), divided.dtype) == ([[0.25, -1.0]], torch.float32)


def test_wrappers_do_not_change_the_mode_of_the_model() -> None:
    for mode in (True, False):
        model = Fixed().train(mode)
        GroupedClasses(model, torch.tensor([0, 1]))
        assert model.training is mode


def test_the_zero_shot_classifier_of_an_untrained_tower_is_clip() -> None:
    recipe = as_resolved(resolve(Recipe()))
    glyphs = load_glyphs()
    images = torch.from_numpy(glyphs.images[:124]).float() / 255  # type: ignore[index]
    names, cpu = glyphs.class_names, torch.device("cpu")
    plain = Classifier(build_tower(Encoder()), 10)
    expected = Classifier(build_tower(Encoder()), len(names), "clip")
    model = zero_shot_classifier(plain, recipe, names, cpu)
    with torch.no_grad():
        expected.head.weight.copy_(model.head)
        expected.head.bias.zero_()
        torch.testing.assert_close(model(images), expected(images), rtol=1e-4, atol=1e-4)
        own = zero_shot_classifier(expected, recipe, names, cpu)
        torch.testing.assert_close(own(images), expected(images), rtol=1e-4, atol=1e-4)
