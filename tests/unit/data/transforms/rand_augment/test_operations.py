"""Arguments are those of timm for the same magnitude and sign."""

import numpy as np
import pytest
from timm.data import auto_augment
from timm.data.auto_augment import LEVEL_TO_ARG

from clip_hparam.data.transforms.rand_augment.operations import OPERATIONS

LEVELS = np.concatenate([np.linspace(0, 10, 101), [12.5, 30.0]])


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("name", OPERATIONS)
def test_argument_equals_timm(name: str, sign: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto_augment, "_randomly_negate", lambda level: sign * level)
    ours = OPERATIONS[name].argument(LEVELS, np.full_like(LEVELS, sign))
    if LEVEL_TO_ARG[name] is None:
        assert not ours.any()
        return
    (theirs,) = zip(*(LEVEL_TO_ARG[name](level, {}) for level in LEVELS.tolist()), strict=True)
    expected = [min(1, max(0, 1 - level)) for level in theirs] if name == "Desaturate" else theirs
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("choices", [("", True), ("", False), ("weights",), ("3a",), ("3aw",)])
def test_every_operation_that_a_string_can_name_is_known(choices: tuple[str, ...]) -> None:
    assert set(auto_augment.rand_augment_choices(*choices)) <= set(OPERATIONS)
