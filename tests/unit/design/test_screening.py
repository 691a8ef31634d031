"""Known interactions of knobs, and steps placed so that a fraction shows them."""

import pytest

from clip_hparam.design.design import parse_design
from clip_hparam.design.fractional import aliases, fractional_factorial
from clip_hparam.design.screening import interactions_among, order_steps

MANY = [
    *("drop_path", "mixup", "lr", "ema_decay", "layer_decay", "crop_scale", "random_erasing"),
    *("weight_decay", "label_smoothing"),
]


def fraction(labels: list[str], resolution: int) -> dict[str, object]:
    steps = [{"label": label, "overrides": [f"{label}=1"]} for label in labels]
    return {"name": "x", "kind": "fractional", "steps": steps, "resolution": resolution}


def ordered(labels: list[str], resolution: int) -> list[str]:
    rows = fractional_factorial(parse_design(fraction(labels, resolution)))
    return order_steps(labels, rows)


def test_interactions_need_both_of_their_knobs() -> None:
    assert interactions_among(["layer_decay", "mixup", "lr"]) == [("lr", "layer_decay")]
    assert interactions_among(["lr", "epochs", "batch_size"]) == [
        ("lr", "batch_size"),
        ("lr", "epochs"),
    ]
    assert interactions_among(["layer_decay", "mixup"]) == []


@pytest.mark.parametrize(("knobs", "resolution"), [(5, 3), (6, 3), (5, 4), (6, 4), (8, 4), (9, 4)])
def test_interaction_of_lr_and_layer_decay_is_no_main_effect(knobs: int, resolution: int) -> None:
    labels = MANY[:knobs]
    placed = ordered(labels, resolution)
    assert sorted(placed) == sorted(labels)
    chains = aliases(parse_design(fraction(placed, resolution)))
    pair = [line for line in chains if "lr:layer_decay" in line or "layer_decay:lr" in line]
    for line in pair:
        assert all(":" in name for name in line.strip().split(" = ")), line


def test_nine_knobs_in_32_cells_keep_the_interaction_free_of_all_others() -> None:
    chains = "\n".join(aliases(parse_design(fraction(ordered(MANY, 4), 4))))
    assert "lr:layer_decay" not in chains
    assert "layer_decay:lr" not in chains
    as_typed = "\n".join(aliases(parse_design(fraction(MANY, 4))))
    assert "lr:layer_decay" in as_typed or len(chains) == len(as_typed)


def test_knobs_without_a_known_interaction_keep_their_order() -> None:
    labels = [label for label in MANY if label != "lr"]
    assert ordered(labels, 4) == labels
