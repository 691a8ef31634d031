"""Ranks that a batch or a device does not allow are refused before anything runs."""

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec


@pytest.mark.parametrize(
    ("batch", "micro_batch", "ranks", "sentence"),
    [
        (4, 0, 8, "gpus_per_trial=8 does not divide batch_size=4: try 4"),
        (50, 0, 4, "gpus_per_trial=4 does not divide batch_size=50: try 2"),
        (64, 4, 8, "gpus_per_trial=8 does not divide machine.micro_batch=4: try 4"),
        (64, 24, 1, "machine.micro_batch=24 does not divide batch_size=64: try 16"),
    ],
)
def test_ranks_divide_a_batch(batch: int, micro_batch: int, ranks: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TrialSpec(Recipe(batch_size=batch), Machine(micro_batch=micro_batch), gpus_per_trial=ranks)


def test_several_ranks_do_not_share_a_named_gpu() -> None:
    assert TrialSpec(Recipe(), Machine(device="cuda:3")).machine.device == "cuda:3"
    with pytest.raises(
        ValueError,
        match=r"gpus_per_trial=2 needs a GPU for each, and machine\.device=cuda:3 is one",
    ):
        TrialSpec(Recipe(batch_size=50), Machine(device="cuda:3"), gpus_per_trial=2)
