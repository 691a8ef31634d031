"""The temperature is found that made logits over-confident."""

import pytest
import torch

from clip_hparam.training.metrics.temperature import MAX_IMAGES, fit_temperature


@pytest.mark.parametrize("factor", [0.2, 1.0, 5.0])
def test_the_factor_of_calibrated_logits_is_found(factor: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(MAX_IMAGES, 4, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor, rel=0.1)


def test_no_images_and_nan_leave_the_temperature_at_1() -> None:
    empty = torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)
    assert fit_temperature(*empty) == 1.0
    assert fit_temperature(torch.full((1, 3), torch.nan), torch.tensor([0])) == 1.0


def test_a_large_set_is_thinned_evenly_not_cut_off() -> None:
    """Sets are often sorted by class; here the later half is over-confident."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2 * MAX_IMAGES, 4, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    logits[MAX_IMAGES:] *= 5
    fitted = fit_temperature(logits, labels)
    assert fitted == fit_temperature(logits[::2], labels[::2])
    assert fitted > 1.5 * fit_temperature(logits[:MAX_IMAGES], labels[:MAX_IMAGES])
