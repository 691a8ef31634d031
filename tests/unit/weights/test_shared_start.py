"""Weights are averaged only where architecture, data and first weights are the same."""

from pathlib import Path
from typing import Any

import pytest

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.records.record import Record
from clip_hparam.weights.shared_start import (
    group_by_start,
    lone_trials_note,
    start_key,
    validate_shared_start,
)
from clip_hparam.weights.stored import StoredWeights

ZERO_SHOT = {"pool": "clip", "head_init": "zero_shot"}


def recipe(**knobs: Any) -> ResolvedRecipe:
    known = {"encoder.weights": "aa", "data.fingerprint": "bb", "resolution": 32}
    resolved: ResolvedRecipe = with_values(Recipe(), {**known, **knobs})  # type: ignore[assignment]
    return resolved


def stored(name: str, weights: str = "ema", **knobs: Any) -> StoredWeights:
    record = Record(Path("runs"), name)
    return StoredWeights(record, Path(), weights, "selected", recipe(**knobs))


@pytest.mark.parametrize(
    ("knobs", "shared"),
    [
        ({"lr": 0.5, "epochs": 3, "tune": "lora", "freeze": "first_2"}, True),
        ({"seed": 1}, False),
        ({"head_init_scale": 1.0}, False),
        ({"encoder.name": "ViT-B-16"}, False),
        ({"encoder.weights": "cc"}, False),
        ({"data.fingerprint": "cc"}, False),
        ({"pool": "cls"}, False),
        ({"resolution": 48}, False),
    ],
)
def test_knobs_of_training_are_free_and_those_of_the_start_are_not(
    knobs: dict[str, Any], shared: bool
) -> None:
    assert (start_key(recipe(**knobs)) == start_key(recipe())) == shared


def test_the_seed_is_free_where_no_first_weight_is_drawn() -> None:
    seeds = [start_key(recipe(**ZERO_SHOT, seed=seed)) for seed in (0, 1)]
    assert seeds[0] == seeds[1]
    probes = [start_key(recipe(head_init="linear_probe", seed=seed)) for seed in (0, 1)]
    assert probes[0] != probes[1], "the seed draws the images of the probe"
    towers = [
        start_key(recipe(**ZERO_SHOT, **{"encoder.weights": "random"}, seed=seed))
        for seed in (0, 1)
    ]
    assert towers[0] != towers[1]


def test_groups_hold_the_members_that_share_their_start() -> None:
    members = [stored("a", lr=0.1), stored("b", seed=1), stored("c", lr=0.2), stored("d", "raw")]
    groups = [[one.trial_id for one in group] for group in group_by_start(members)]
    assert groups == [["a", "c"], ["b"], ["d"]]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            stored("b", pool="cls"),
            r"different architectures .*pool=patch_mean of a and pool=cls of b",
        ),
        (stored("b", seed=1), r"different first weights .*seed=0 of a and seed=1 of b.*one seed$"),
        (stored("b", **{"data.fingerprint": "cc"}), "different data sets"),
        (stored("b", "raw"), "a has kept the ema weights of the selected epoch, and b the raw"),
    ],
)
def test_trials_that_cannot_be_averaged_are_named(other: StoredWeights, message: str) -> None:
    validate_shared_start([stored("a"), stored("c", lr=0.5)])
    with pytest.raises(ValueError, match=message):
        validate_shared_start([stored("a"), other])


def test_no_member_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a trial"):
        validate_shared_start([])


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ((0, 1), "2 of 2 soups have one trial"),
        ((0, 0, 1), "1 of 2 soups"),
        ((0, 0), ""),
        ((0,), ""),
    ],
)
def test_note_counts_soups_of_one_trial(seeds: tuple[int, ...], words: str) -> None:
    groups = group_by_start([stored(f"{n}", seed=seed) for n, seed in enumerate(seeds)])
    note = lone_trials_note(groups)
    assert words in note
    assert bool(note) == bool(words)
