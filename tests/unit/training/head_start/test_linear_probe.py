"""The linear probe is the minimum that scikit-learn finds, and does not depend on row blocks."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from clip_hparam.training.head_start import linear_probe
from clip_hparam.training.head_start.linear_probe import fit_head

L2 = 0.01


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
