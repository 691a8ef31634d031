"""Ranges have the numbers that their bounds and step give; functions without sense are refused."""

from pathlib import Path

import pytest
from support.cli import plan
from support.planned import planned_trials, write_design

RANGES = {
    "sort(range(0.9,0.5,-0.15))": [0.6, 0.75, 0.9],
    "range(0.5,0.9,0.1)": [0.5, 0.6, 0.7, 0.8],
}


@pytest.mark.parametrize("text", RANGES)
def test_a_range_on_the_command_line_and_in_a_design(text: str, tmp_path: Path) -> None:
    write_design(tmp_path, f'kind: grid\nknobs: {{layer_decay: "{text}"}}\n')
    for words in ((f"layer_decay={text}",), ("sweeps=mine",)):
        specs = planned_trials("-m", *words, cwd=tmp_path)
        assert [spec.recipe.layer_decay for spec in specs] == RANGES[text]


def test_a_range_of_whole_numbers_stays_whole(tmp_path: Path) -> None:
    specs = planned_trials("-m", "epochs=range(2,9,3)", cwd=tmp_path)
    assert [spec.recipe.epochs for spec in specs] == [2, 5, 8]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("layer_decay=shuffle(range(0.5,0.9,0.1))", "another order each time"),
        ("lr=glob(*)", "chooses files of a config group, and lr is none"),
        ("epochs=range(3,1)", "gives no level"),
        ("recipe=glob(none*)", "gives no level"),
        ("data.root=glob(/d/*)", "chooses files of a config group, and data.root is none"),
    ],
)
def test_other_functions_are_refused_in_a_sentence(
    typed: str, sentence: str, tmp_path: Path
) -> None:
    done = plan("-m", typed, cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert sentence in done.err
