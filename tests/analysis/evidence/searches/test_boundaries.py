"""A wider range is advised only where the values at its end are better than their neighbours."""

import math

import numpy as np
import pandas as pd
import pytest

from clip_hparam.analysis.evidence.searches.boundaries import Boundary, boundaries
from clip_hparam.analysis.evidence.searches.replicate_means import average_replicates
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.trial_table import TrialTable


def found_in(table: TrialTable, together: set[str] = frozenset()) -> list[Boundary]:  # type: ignore[assignment]
    points = average_replicates(table)
    return boundaries(points.points, points.trials, together)


def sweep(means: dict[float, float], seeds: int = 5, noise: float = 0.3) -> TrialTable:
    """Return a sweep of lr over seeds that share most of their noise."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 3, seeds)
    rows = [
        {"lr": lr, "seed": seed, "top1": mean + shared[seed] + rng.normal(0, noise)}
        for lr, mean in means.items()
        for seed in range(seeds)
    ]
    return to_trial_table(pd.DataFrame(rows), ["lr"], [], "top1", seed="seed")


def random_search(trend: float, seed: int, points: int = 30) -> TrialTable:
    """Return points whose accuracy rises by `trend` over the range of drop_path, with noise 1."""
    rng = np.random.default_rng(seed)
    knobs = ["drop_path", "mixup", "label_smoothing", "random_erasing", "weight"]
    rows = pd.DataFrame({knob: rng.uniform(0.01, 0.3, points) for knob in knobs})
    rows["top1"] = 80 + trend * rows["drop_path"] / 0.3 + rng.normal(0, 1, points)
    return to_trial_table(rows, knobs, [], "top1")


def test_end_that_is_better_over_seeds_is_supported() -> None:
    (found,) = found_in(sweep({1e-3: 90, 3e-3: 92, 1e-2: 94}))
    assert (found.knob, found.value, found.end) == ("lr", 1e-2, "largest")
    assert found.is_supported
    assert found.gain == pytest.approx(2, abs=0.5)
    assert found.sentence.startswith(
        "best lr is the largest tried, 0.01, and is better than lr=0.003 by 2"
    )
    assert found.sentence.endswith(": widen")


def test_end_that_is_as_good_as_its_neighbour_is_not_supported() -> None:
    (found,) = found_in(sweep({1e-3: 90, 3e-3: 94, 1e-2: 94.1}, noise=1.0))
    assert found.end == "largest"
    assert not found.is_supported


def test_smallest_end_counts_too() -> None:
    (found,) = found_in(sweep({1e-3: 95, 3e-3: 92, 1e-2: 90}))
    assert (found.end, found.is_supported) == ("smallest", True)


@pytest.mark.parametrize(
    "means", [{1e-3: 90.0, 1e-2: 99.0}, {1e-3: 90.0, 3e-3: 99.0, 1e-2: 92.0}], ids=["two", "inner"]
)
def test_two_levels_or_an_inner_best_are_no_boundary(means: dict[float, float]) -> None:
    assert found_in(sweep(means)) == []


def test_one_seed_supports_nothing() -> None:
    (found,) = found_in(sweep({1e-3: 90, 3e-3: 92, 1e-2: 94}, seeds=1))
    assert math.isnan(found.low)
    assert not found.is_supported


def test_random_points_without_an_effect_rarely_support_a_wider_range() -> None:
    """Half of these searches have a best point at an end of some knob; few are told to widen."""
    searches = [found_in(random_search(0.0, seed)) for seed in range(60)]
    at_an_end = sum(bool(found) for found in searches)
    advised = sum(any(one.is_supported for one in found) for found in searches)
    assert at_an_end >= 25
    assert advised <= 9


def test_random_points_with_a_trend_support_a_wider_range() -> None:
    searches = [found_in(random_search(6.0, seed)) for seed in range(20)]
    wider = [[one.knob for one in found if one.is_supported] for found in searches]
    assert sum("drop_path" in names for names in wider) >= 11


def test_knobs_of_the_data_moved_together_or_at_a_legal_end_have_no_boundary() -> None:
    rows = pd.DataFrame({
        "data.shots": [5, 10, 20] * 4, "lr": [1e-3, 3e-3, 1e-2] * 4, "mixup": [0.2, 0.1, 0.0] * 4,
        "seed": [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], "top1": [1.0, 2.0, 3.0] * 4,
    })  # fmt: skip
    table = to_trial_table(rows, ["data.shots", "lr", "mixup"], [], "top1", seed="seed")
    assert [one.knob for one in found_in(table)] == ["lr"]  # mixup=0 is its legal end
    assert found_in(table, {"lr"}) == []


def test_lower_is_better_where_the_objective_is_minimized() -> None:
    rows = sweep({1e-3: 95, 3e-3: 92, 1e-2: 90}).rows
    table = to_trial_table(rows.reset_index(), ["lr"], [], "top1", minimize=True, seed="seed")
    (found,) = found_in(table)
    assert (found.end, found.is_supported) == ("largest", True)
