"""A design keeps of each mapping family -> value the value of the chosen family."""

from typing import Any

import pytest

from clip_hparam.design.families import depends_on_family, family_of, select_family

FAMILIES = ("tiny", "b16", "l14")


def design(**more: Any) -> dict[str, Any]:
    return {"name": "lr", "kind": "grid", **more}


def test_levels_overrides_and_seeds_of_the_family_are_kept() -> None:
    tree = design(
        seeds={"tiny": 5, "b16": 1},
        base={"tiny": ["data=characters"], "b16": []},
        knobs={"lr": {"tiny": [1e-2], "b16": [1e-4]}, "mixup": [0, 0.8]},
        steps=[{"label": "a", "overrides": {"tiny": ["lr=1"], "b16": ["lr=2"]}}],
    )
    assert select_family(tree, "b16", FAMILIES) == design(
        seeds=1,
        base=[],
        knobs={"lr": [1e-4], "mixup": [0, 0.8]},
        steps=[{"label": "a", "overrides": ["lr=2"]}],
    )


def test_a_design_without_mappings_is_kept_as_it_is() -> None:
    tree = design(seeds={"start": 3, "max": 10}, knobs={"lr": "interval(0, 1)"}, steps="wrong")
    assert select_family(tree, "l14", FAMILIES) == tree


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"knobs": {"lr": {"tiny": [1]}}}, "knob lr"),
        ({"seeds": {"b16": 1}}, "seeds"),
        ({"base": {"b16": []}}, "base"),
        ({"steps": [{"label": "a", "overrides": {"tiny": []}}]}, "step a"),
    ],
)
def test_a_part_without_the_family_is_named(more: dict[str, Any], part: str) -> None:
    with pytest.raises(ValueError, match=f"design lr: {part} has no value for family=l14"):
        select_family(design(**more), "l14", FAMILIES)


def test_all_mistakes_are_listed() -> None:
    tree = design(knobs={"lr": {"tiny": [1]}, "mixup": {"b16": [1], "l41": [2]}})
    with pytest.raises(ValueError, match="knob lr") as error:
        select_family(tree, "l14", FAMILIES)
    assert len(str(error.value).splitlines()) == 3
    assert "names the family l41" in str(error.value)


@pytest.mark.parametrize(
    ("more", "depends"),
    [
        ({"knobs": {"lr": [1e-3]}}, False),
        ({"knobs": {"lr": {"tiny": [1e-3]}}}, True),
        ({"base": ["recipe=ema"], "knobs": {"lr": [1e-3]}}, True),
        ({"steps": [{"label": "a", "overrides": ["recipe=ema"]}]}, True),
        ({"seeds": {"start": 3}}, False),
    ],
)
def test_a_design_depends_on_its_family_by_values_or_recipes(
    more: dict[str, Any], depends: bool
) -> None:
    assert depends_on_family(design(**more), FAMILIES) is depends


def test_the_last_family_counts() -> None:
    assert family_of(["lr=1", "family=b16", "family=l14"]) == "l14"
    assert family_of(["lr=1"]) == "tiny"
