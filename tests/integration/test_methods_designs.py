"""Methods are compared at rates that were chosen on tuning seeds, and differ in nothing else."""

from pathlib import Path

import numpy as np
import pytest
from support.cli import ROOT
from support.planned import planned_sweep

from clip_hparam.config.recipe import flatten
from clip_hparam.data import characters
from clip_hparam.data.dataset import ImageArray
from clip_hparam.sweep.sweep import Sweep

METHOD_KNOBS = {"lr", "tune", "head_init", "pool"}
HEADS = {
    "full": {},
    "bias": {"tune": "bias"},
    "lora": {"tune": "lora"},
    "head_only": {"freeze": "backbone"},
    "lp_ft": {"head_init": "linear_probe"},
    "lp_lora": {"head_init": "linear_probe", "tune": "lora"},
    "zero_shot": {"head_init": "zero_shot", "pool": "clip"},
    "zero_shot_scale": {"head_init": "zero_shot", "pool": "clip", "logit_scale": "trained"},
}
"""What each cell of sweeps=heads changes of the full fine-tuning of a random head."""


@pytest.fixture(autouse=True)
def _blank_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan with blank images, since rendering takes 20 s and a plan reads labels alone."""

    def blank(_seed: int, count: int) -> ImageArray:
        return np.zeros((count, 3, 2, 2), np.uint8)

    monkeypatch.setattr(characters, "_load_or_render", blank)
    characters.load_characters.cache_clear()


def recipes(sweep: Sweep) -> dict[tuple[object, ...], set[int]]:
    """Return the seeds of each combination of the method knobs, and check all other knobs."""
    flat = [flatten(plan.spec.recipe) for plan in sweep.planned]
    others = [
        {name: value for name, value in one.items() if name not in {*METHOD_KNOBS, "seed"}}
        for one in flat
    ]
    assert all(one == others[0] for one in others)
    seeds: dict[tuple[object, ...], set[int]] = {}
    for one in flat:
        key = tuple(one[name] for name in sorted(METHOD_KNOBS))
        seeds.setdefault(key, set()).add(one["seed"])
    return seeds


def test_each_reported_cell_was_a_cell_of_the_tuning_design(tmp_path: Path) -> None:
    tuned = recipes(planned_sweep("sweeps=methods_lr", cwd=tmp_path))
    reported = recipes(planned_sweep("sweeps=methods", cwd=tmp_path))
    assert set(reported) < set(tuned)
    assert all(seeds == {100, 101, 102} for seeds in tuned.values())
    assert all(seeds == set(range(5)) for seeds in reported.values())


def test_the_members_of_the_soup_are_three_neighbouring_rates(tmp_path: Path) -> None:
    sweep = planned_sweep("sweeps=methods_lr", cwd=tmp_path)
    rates = sorted({plan.spec.recipe.lr for plan in sweep.planned})
    reported = planned_sweep("sweeps=methods", cwd=tmp_path)
    probe = {
        plan.spec.recipe.lr
        for plan in reported.planned
        if plan.spec.recipe.head_init == "linear_probe"
    }
    first = rates.index(min(probe))
    assert sorted(probe) == rates[first : first + 3]


def test_heads_differ_in_what_is_trained_and_where_the_head_starts_alone(tmp_path: Path) -> None:
    cells = {
        (plan.cell.label, plan.seed): flatten(plan.spec.recipe)
        for plan in planned_sweep("sweeps=heads", cwd=tmp_path).planned
    }
    assert set(cells) == {(label, seed) for label in HEADS for seed in range(5)}
    for (label, seed), knobs in cells.items():
        full = cells["full", seed]
        changed = {name: value for name, value in knobs.items() if value != full[name]}
        assert knobs["seed"] == seed
        assert changed == HEADS[label], label


def test_make_methods_reads_the_cells_of_the_design() -> None:
    design = (ROOT / "sweeps" / "methods.yaml").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for label in ("zero_shot", "lp_ft", "lp_ft_lower", "lp_ft_lowest"):
        assert f"label: {label}," in design
        assert f"methods/{label} " in makefile
