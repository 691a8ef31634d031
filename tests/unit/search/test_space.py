"""A search space suggests only legal values; an invalid space is rejected."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.search.space import parse_space

RANGES = {
    "lr": ("tag(log, interval(1e-5, 1e-2))",),
    "layer_decay": ("interval(0.5, 1)",),
    "epochs": ("int(interval(5, 40))",),
    "mixup": ("0", "interval(0.2, 1.0)"),
    "cutmix": ("interval(0.5, 1.0)",),
    "pool": ("patch_mean", "cls"),
}
WHEN = {"cutmix": "mixup"}


class Draws:
    """Suggester whose values hypothesis draws."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.names: list[str] = []

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        self.names.append(name)
        return self.data.draw(st.floats(low, high))

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        self.names.append(name)
        return self.data.draw(st.integers(low, high))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        self.names.append(name)
        return self.data.draw(st.sampled_from(choices))


@given(st.data())
def test_every_suggested_point_is_legal_and_inside_the_space(data: st.DataObject) -> None:
    draws = Draws(data)
    point = parse_space(RANGES, WHEN).suggest(draws)
    recipe = with_values(Recipe(), point)
    assert 1e-5 <= recipe.lr <= 1e-2
    assert 0.5 <= recipe.layer_decay <= 1
    assert recipe.epochs in range(5, 41)
    assert recipe.mixup == 0 or 0.2 <= recipe.mixup <= 1
    assert all(
        float(f"{value:.4g}") == value for value in point.values() if isinstance(value, float)
    )
    assert ("cutmix" in point) == (recipe.mixup > 0)
    assert ("mixup" in draws.names) == (recipe.mixup > 0)
    assert len(set(draws.names)) == len(draws.names)


def test_boundary_values_are_levels_and_range_ends() -> None:
    extremes = list(
        parse_space({"mixup": RANGES["mixup"], "pool": RANGES["pool"]}, {}).boundary_values()
    )
    assert extremes == [
        *({"mixup": value} for value in (0.0, 0.2, 1.0)),
        *({"pool": value} for value in ("patch_mean", "cls")),
    ]


def test_grid_is_all_combinations_and_rejects_ranges() -> None:
    levels = {"pool": ("patch_mean", "cls"), "epochs": ("5", "10", "20")}
    points = parse_space(levels, {}).grid()
    assert len({tuple(point.items()) for point in points}) == len(points) == 6
    with pytest.raises(ValueError, match=r"sampler=grid needs levels, and lr has a range"):
        parse_space({**levels, "lr": RANGES["lr"]}, {}).grid()


@pytest.mark.parametrize(
    ("levels", "when", "sentence"),
    [
        ({"lr": ["interval(1e-2, 1e-3)"]}, {}, r"lr=interval.* is not a range: it needs"),
        ({"lr": ["interval(1e-2, 1e-2)"]}, {}, "is not a range"),
        ({"lr": ["tag(log, interval(0, 1e-2))"]}, {}, "above 0 with log"),
        ({"pool": ["interval(0, 1)"]}, {}, r"pool has none: try pool=a,b"),
        ({"epochs": ["interval(5, 20)"]}, {}, r"try 'epochs=int\(interval\(5,20\)\)'"),
        ({"layer_decay": ["interval(0, 1)"]}, {}, r"layer_decay=0.0 is outside \(0, 1\]"),
        ({"layer_decay": ["0.5", "1.5"]}, {}, r"layer_decay=1.5 is outside"),
        ({"mixup": ["interval(0, 1)", "interval(2, 3)"]}, {}, "2 ranges"),
        ({"seed": ["0", "1"]}, {}, "seed is a replicate"),
        ({"recipe": ["llrd", "ema"]}, {}, "unknown knob recipe: a search varies knobs"),
        ({"lrr": ["1", "2"]}, {}, "did you mean lr?"),
        ({"lr": ["1e-3", "1e-2"]}, {"mixup": "lr"}, "mixup is not searched"),
    ],
)
def test_invalid_space_is_rejected(
    levels: dict[str, list[str]], when: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_space(levels, when)
