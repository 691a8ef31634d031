"""`make ablations` runs the shipped designs on Fashion-MNIST, and then writes the page."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.cli import ROOT
from support.data_files import fashion_mnist
from support.planned import planned_sweep

from benchmarks import ablations
from clip_hparam.analysis.evidence.ablation_set import DESIGNS

SMALL = ("data.shots=10", "data.selection=2", "data.epoch_images=50")


PLANNED = ("ladder", "lr", "augment", "leave_one_out")


def words(design: str, root: Path, *more: str) -> list[str]:
    typed = ablations.words_of(design, "fashion_mnist", range(2), Path("runs"))
    return [*typed[1:], f"data.root={root}", *more]


def test_designs_are_planned_on_fashion_mnist_with_the_declared_settings(
    tmp_path: Path,
) -> None:
    root = fashion_mnist(tmp_path / "files")
    page = (ROOT / "docs" / "ablation_rules.md").read_text()
    declared = ablations.SETTINGS["fashion_mnist"]
    assert all(f"`{word}`" in page for word in declared)
    recipes: dict[str, set[str]] = {}
    for design in PLANNED:
        sweep = planned_sweep(*words(design, root, *SMALL), cwd=tmp_path)
        for plan in sweep.planned:
            assert plan.spec.recipe.data.name == "fashion_mnist"
            assert plan.spec.eval_raw == "end"
            recipes.setdefault(design, set()).add(plan.spec.trial_id)
    shared = {design for design in PLANNED if recipes[design] & recipes["ladder"]}
    assert shared == {"ladder", "augment", "leave_one_out"}, "at the recipe of the sixth rung"
    assert all(f"`{design}`" in page for design in DESIGNS)


@pytest.mark.slow
def test_the_command_trains_and_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fashion_mnist(tmp_path / "files")
    typed = [f"data.root={root}", *SMALL, "batch_size=5", "data.epoch_images=10"]
    options = ["--seeds", "2", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path)]
    chosen = ["--designs", "ladder", "freeze", "--"]
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the second call trains nothing
        monkeypatch.setattr(sys, "argv", ["ablations.py", *options, *chosen, *typed])
        ablations.main()
    assert "## Frozen parameters" in (tmp_path / "ablations.md").read_text()


def test_the_first_design_that_fails_ends_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def failing(words: Sequence[str]) -> None:
        asked.append(words[1])
        raise SystemExit(2)

    monkeypatch.setattr(ablations, "run_design", failing)
    monkeypatch.setattr(sys, "argv", ["ablations.py", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        ablations.main()
    assert asked == ["sweeps=ladder"]
    assert not (tmp_path / "ablations.md").exists()
