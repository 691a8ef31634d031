"""Mixup, cutmix and targets equal timm's for equal draws and are a function of the step."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from timm.data import Mixup
from timm.loss import LabelSmoothingCrossEntropy
from torch import Tensor

from clip_hparam.data.transforms.mixup import (
    MixParams,
    apply_mix,
    cutmix_params,
    sample_mix_params,
    soft_targets,
)

CLASSES = 5
LABELS = torch.tensor([0, 4, 2, 2, 1, 3])


def images(side: int = 12) -> Tensor:
    return torch.randn(len(LABELS), 3, side, side, generator=torch.Generator().manual_seed(0))


def timms(
    lam: float, cut: bool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[Tensor, Tensor]:
    """Return the batch as timm mixes it with `lam`; numpy's seed places the box."""
    mixup = Mixup(mixup_alpha=0.8, cutmix_alpha=1.0, label_smoothing=0.1, num_classes=CLASSES)
    monkeypatch.setattr(mixup, "_params_per_batch", lambda: (lam, cut))
    np.random.seed(seed)  # noqa: NPY002 - timm draws from it
    mixed, targets = mixup(images(), LABELS)
    return mixed, targets


@pytest.mark.parametrize("lam", [0.0, 0.3, 0.5, 1.0])
def test_mixup_equals_timm(lam: float, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = apply_mix(images(), soft_targets(LABELS, CLASSES, 0.1), MixParams(lam, None), "mirrored")
    torch.testing.assert_close(ours, timms(lam, False, 0, monkeypatch))


@pytest.mark.parametrize("lam", [0.02, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("seed", range(8))
def test_cutmix_equals_timm(lam: float, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    np.random.seed(seed)  # noqa: NPY002
    row, column = np.random.randint(12, size=2).tolist()  # noqa: NPY002
    params = cutmix_params(row, column, lam, 12)
    ours = apply_mix(images(), soft_targets(LABELS, CLASSES, 0.1), params, "mirrored")
    torch.testing.assert_close(ours, timms(lam, True, seed, monkeypatch))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_smoothed_targets_give_the_loss_of_timm(smoothing: float) -> None:
    targets = soft_targets(LABELS, CLASSES, smoothing)
    logits = torch.randn(len(LABELS), CLASSES, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(len(LABELS)))
    torch.testing.assert_close(
        F.cross_entropy(logits, targets), LabelSmoothingCrossEntropy(smoothing)(logits, LABELS)
    )


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.8, 0.0), (0.0, 1.0), (0.8, 1.0)])
def test_mix_params_are_a_function_of_seed_epoch_and_step(mixup: float, cutmix: float) -> None:
    drawn = [
        sample_mix_params(seed, epoch, step, mixup, cutmix, 32)
        for seed in range(3)
        for epoch in range(3)
        for step in range(3)
    ]
    assert drawn[0] == sample_mix_params(0, 0, 0, mixup, cutmix, 32)
    assert len(set(drawn)) == len(drawn)


def test_box_is_in_the_image_and_lam_is_the_area_outside_it() -> None:
    for step in range(200):
        params = sample_mix_params(0, 0, step, 0.0, 1.0, 32)
        assert params is not None
        assert params.box is not None
        top, bottom, left, right = params.box
        assert 0 <= top <= bottom <= 32
        assert 0 <= left <= right <= 32
        assert params.lam == pytest.approx(1 - (bottom - top) * (right - left) / 32**2)


def test_half_of_the_batches_use_cutmix_when_both_are_on() -> None:
    drawn = [sample_mix_params(0, 0, step, 0.8, 1.0, 32) for step in range(1000)]
    share = sum(params is not None and params.box is not None for params in drawn) / len(drawn)
    assert share == pytest.approx(0.5, abs=0.05)


def test_no_batch_is_mixed_when_both_are_off() -> None:
    assert sample_mix_params(0, 0, 0, 0.0, 0.0, 32) is None


def test_adjacent_rows_are_mixed_with_each_other_alone() -> None:
    pixels, targets = images(), soft_targets(LABELS, CLASSES, 0.1)
    for params in (MixParams(0.3, None), cutmix_params(4, 7, 0.4, 12)):
        mixed, both = apply_mix(pixels, targets, params, "adjacent")
        for start in range(0, len(LABELS), 2):
            pair = slice(start, start + 2)
            alone = apply_mix(pixels[pair], targets[pair], params, "mirrored")
            assert torch.equal(mixed[pair], alone[0])
            assert torch.equal(both[pair], alone[1])


def test_mixup_and_cutmix_have_their_own_alpha_where_both_are_on() -> None:
    drawn = [sample_mix_params(0, 0, step, 1e-3, 1000.0, 32) for step in range(100)]
    shares = [mix.lam for mix in drawn if mix and mix.box is None]
    heights = [mix.box[1] - mix.box[0] for mix in drawn if mix and mix.box]
    assert min(len(shares), len(heights)) > 30
    assert not any(0.1 < share < 0.9 for share in shares)
    assert all(10 <= height <= 24 for height in heights)  # half of the area, cut at the border
