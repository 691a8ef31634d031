"""Tuning designs use tuning seeds alone, and they share one task of 1,600 steps."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.cli import ROOT
from support.planned import planned_sweep

from clip_hparam.analysis.evidence.seed_sets import seed_sets
from clip_hparam.config.steps import total_steps
from clip_hparam.data import characters
from clip_hparam.data.dataset import ImageArray

TUNING = sorted(path.stem for path in (ROOT / "sweeps").glob("tune_*.yaml"))
VARIES = {
    "tune_characters_budget": {"batch_size", "draws"},
    "tune_characters_uniform": {"batch_size", "draws"},
}
"""Facts of the task that a design changes."""


@pytest.fixture(autouse=True)
def _blank_characters(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Plan with blank images, since rendering takes 20 s and a plan reads labels alone."""

    def blank(_seed: int, count: int) -> ImageArray:
        return np.zeros((count, 3, 2, 2), np.uint8)

    monkeypatch.setattr(characters, "_load_or_render", blank)
    characters.load_characters.cache_clear()
    yield
    characters.load_characters.cache_clear()


@pytest.mark.parametrize("name", TUNING)
def test_no_reported_seed_is_used_for_tuning(name: str, tmp_path: Path) -> None:
    sweep = planned_sweep(f"sweeps={name}", cwd=tmp_path)
    seeds = {plan.seed for plan in sweep.planned}
    assert min(seeds) >= 100
    assert not seeds & {seed for one in seed_sets() for seed in one}
    assert not sweep.duplicate_cells
    recipes = [plan.spec.recipe for plan in sweep.planned]
    task = {
        "name": {recipe.data.name for recipe in recipes},
        "batch_size": {recipe.batch_size for recipe in recipes},
        "shots": {recipe.data.shots for recipe in recipes},
        "draws": {recipe.data.epoch_images for recipe in recipes},
    }
    usual = {"name": {"characters"}, "batch_size": {25}, "shots": {300}, "draws": {2000}}
    assert {fact for fact in usual if task[fact] != usual[fact]} == VARIES.get(name, set())
    if name not in VARIES:
        assert {total_steps(recipe) for recipe in recipes} == {1600}


def test_make_and_the_page_name_all_tuning_designs() -> None:
    (listed,) = re.findall(r"^TUNED = (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(f"tune_characters_{word}" for word in listed.split()) == TUNING
    page = (ROOT / "docs" / "miniature.md").read_text()
    assert [name for name in TUNING if name not in page] == []
