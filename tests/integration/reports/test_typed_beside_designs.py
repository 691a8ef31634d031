"""Words that are typed beside a design reach its cells, or are refused: none is ignored."""

from pathlib import Path

import pytest
from support.cli import plan

REFUSED = {
    ("sweeps=ladder", "recipe=llrd"): "recipe=llrd applies to no cell of ladder: steps baseline,",
    ("sweeps=ladder", "recipe=tiny/llrd"): "recipe=llrd applies to no cell of ladder",
    ("sweeps=ladder", "recipe=llrd,ema"): "recipe=llrd,ema replaces the recipe that steps of",
    ("sweeps=study", "lr=1e-3", "budget=1h"): "study study varies lr, so lr=1e-3 would apply to",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_a_word_that_reaches_no_cell_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    done = plan("-m", *words, "dry_run=true", cwd=tmp_path)
    assert done.code == 2
    assert REFUSED[words] in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("lr=1e-3",),
            "lr=1e-3 applies to 1 of 5 cells (no llrd): in the others step llrd sets lr",
        ),
        (("mixup=0.1",), "mixup=0.1 applies to 1 of 5 cells (no weak_aug): in the others step"),
        (("lr=1e-3,2e-3",), "lr=0.001,0.002 replaces the lr that step llrd sets"),
    ],
)
def test_an_override_that_reaches_some_cells_is_reported(
    words: tuple[str, ...], line: str, tmp_path: Path
) -> None:
    done = plan("-m", "sweeps=leave_one_out", *words, "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.startswith(line)


def test_a_word_that_reaches_all_cells_needs_no_line(tmp_path: Path) -> None:
    done = plan("-m", "sweeps=leave_one_out", "recipe=baseline", "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "holds in" not in done.out
