"""Corruptions change images more at a higher severity, and are functions of their generator."""

import numpy as np
import pytest
from numpy.typing import NDArray

from clip_hparam.data.evaluation_sets.corruptions import KINDS, corrupt


@pytest.fixture(scope="module")
def image() -> NDArray[np.uint8]:
    """Return an image of noise with levels between 60 and 190."""
    return np.random.default_rng(1).integers(60, 191, (1, 32, 32), np.uint8)


def distance(image: NDArray[np.uint8], kind: str, severity: int) -> float:
    changed = corrupt(image, kind, severity, np.random.default_rng(0))
    assert (changed.shape, changed.dtype) == ((3, 32, 32), np.uint8)
    return float(np.abs(changed.astype(float) - image).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_severity_changes_an_image_more(image: NDArray[np.uint8], kind: str) -> None:
    distances = [distance(image, kind, severity) for severity in range(1, 6)]
    assert 0 < distances[0] < distances[-1]
    assert distances == [distance(image, kind, severity) for severity in range(1, 6)]
