"""Hydra's grammar splits the texts of levels and keeps their spelling, which search ids hash."""

import pytest
from hydra.errors import HydraException

from clip_hparam.cli.hydra_app.grammar.levels import split_design_levels, split_levels


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("1e-3", ["1e-3"]),
        ("1e-3,3e-3", ["1e-3", "3e-3"]),
        ("cls , patch_mean", ["cls", "patch_mean"]),
        ("choice(0,.8)", ["0", ".8"]),
        ("[0, auto]", ["0", "auto"]),
        ("interval(.5,1)", ["interval(.5,1)"]),
        ("tag(log, int(interval(1, 5)))", ["tag(log, int(interval(1, 5)))"]),
        ("0, interval(0.2, 1)", ["0", "interval(0.2, 1)"]),
        ("choice(0, 'interval(0.2,1)')", ["0", "interval(0.2,1)"]),
        ("none,rand-m9-mstd0.5-inc1", ["none", "rand-m9-mstd0.5-inc1"]),
        ("'interval(1,2)'", ["interval(1,2)"]),
        ("", [""]),
        ("choice()", []),
    ],
)
def test_text_is_split_into_levels_as_they_are_written(text: str, levels: list[str]) -> None:
    assert split_levels(text) == levels


@pytest.mark.parametrize("text", ["1,", "interval(0, 1", "[0, 1"])
def test_incomplete_text_is_rejected(text: str) -> None:
    with pytest.raises(HydraException):
        split_levels(text)


def test_texts_of_a_design_file_are_split_and_lists_are_kept() -> None:
    tree = {"name": "d", "knobs": {"pool": "choice(cls, clip)", "mixup": [0, "interval(0.2, 1)"]}}
    assert split_design_levels(tree) == {
        "name": "d",
        "knobs": {"pool": ["cls", "clip"], "mixup": [0, "interval(0.2, 1)"]},
    }
    for knobs in (None, "lr", ["lr"]):
        assert split_design_levels({"name": "d", "knobs": knobs}) == {"name": "d", "knobs": knobs}
