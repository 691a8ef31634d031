"""The linear probe is the minimum that scikit-learn finds, and does not depend on row blocks."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.head_start import linear_probe
from clip_hparam.training.head_start.linear_probe import fit_head, probe_head

L2 = 0.01
CPU = torch.device("cpu")
BASE = {"head_init": "linear_probe", "probe_l2": 0.01}
OTHER_FEATURES = [
    *({"probe_l2": 0.1}, {"seed": 1}, {"pool": "cls"}, {"data.shots": 9}, {"resolution": 24}),
    *({"interpolation": "bilinear"}, {"augment_backend": "timm"}, {"encoder.pretrained": "random"}),
]


def drawn() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 4
    centres = torch.randn(4, 6, generator=generator)
    return centres[labels] + torch.randn(120, 6, generator=generator), labels


def test_the_head_is_that_of_scikit_learn() -> None:
    features, labels = drawn()
    weights, bias = fit_head(features, labels, 4, L2)
    theirs = LogisticRegression(C=1 / (L2 * len(labels)), tol=1e-8, max_iter=1000)
    theirs.fit(features.double().numpy(), labels.numpy())
    np.testing.assert_allclose(weights.numpy(), theirs.coef_, atol=2e-3)
    offsets = bias.numpy() - theirs.intercept_
    np.testing.assert_allclose(offsets - offsets.mean(), 0, atol=2e-3)


def test_rows_in_blocks_give_the_same_head(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = drawn()
    whole = fit_head(features, labels, 4, L2)
    monkeypatch.setattr(linear_probe, "ROWS_AT_ONCE", 7)
    blocks = fit_head(features, labels, 4, L2)
    torch.testing.assert_close(whole, blocks, rtol=1e-2, atol=1e-3)


def test_a_stronger_penalty_gives_smaller_weights() -> None:
    features, labels = drawn()
    norms = [float(fit_head(features, labels, 4, l2)[0].norm()) for l2 in (1e-3, 1e-1)]
    assert norms[0] > 2 * norms[1]


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace features and fit, in an empty cache; return the penalties of the fits."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path))
    penalties: list[float] = []

    def fit(features: Tensor, labels: Tensor, classes: int, l2: float) -> tuple[Tensor, Tensor]:
        penalties.append(l2)
        return torch.full((classes, 2), float(len(penalties))), torch.zeros(classes)

    monkeypatch.setattr(
        linear_probe, "training_features", lambda *_: (torch.ones(4, 2), torch.zeros(4))
    )
    monkeypatch.setattr(linear_probe, "fit_head", fit)
    return penalties


def probe(**knobs: Any) -> Tensor:
    model: Any = SimpleNamespace(head=nn.Linear(2, 3))
    return probe_head(model, resolve(with_values(Recipe(), BASE | knobs)), CPU)[0]


@pytest.mark.parametrize("other", OTHER_FEATURES, ids=str)
def test_a_kept_head_is_used_only_for_the_same_features(
    other: dict[str, Any], fitted: list[float]
) -> None:
    first = probe()
    assert torch.equal(probe(lr=0.5, epochs=3, label_smoothing=0.2), first)
    assert fitted == [0.01]
    assert not torch.equal(probe(**other), first)
    assert fitted == [0.01, other.get("probe_l2", 0.01)]
    assert torch.equal(probe(), first)
    assert len(fitted) == 2
