"""The stages of a campaign, planned from given costs and effects."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.design import racing
from clip_hparam.design.design import Design, parse_design
from clip_hparam.design.expand import expand_design
from clip_hparam.sweep.campaigns import stages
from clip_hparam.sweep.campaigns.stages import InsufficientBudgetError

KNOBS = {
    "lr": ["tag(log, interval(1e-3, 1e-1))"],
    "layer_decay": ["interval(0.5, 0.9)"],
    "mixup": ["0", "interval(0.2, 1.0)"],
    "ema_decay": ["0", "auto"],
    "drop_path": ["0", "0.1"],
}
STUDY = Design("study", "study", base=("recipe=weak_aug",), knobs=KNOBS)


def size(design: Any) -> int:
    return len(expand_design(parse_design(design)))


@given(st.integers(0, 100), st.integers(1, 3))
def test_proof_fits_the_budget_and_uses_fresh_seeds(trials: int, winners: int) -> None:
    some = {f"winner {n}": [f"lr={n}e-3"] for n in range(1, winners + 1)}
    try:
        design = stages.plan_proof(STUDY, some, trials).design
    except InsufficientBudgetError:
        assert trials < (stages.N_SEEDS + 1) * 2
        return
    steps = [step["label"] for step in design["steps"]]
    assert steps == ["reference", *some][: len(steps)]
    proven = len(steps) - 1
    assert proven == winners or trials < (stages.N_SEEDS + 1) * (proven + 2)
    race = racing.parse_race(design["seeds"])
    assert race is not None
    assert race.max * size(design) <= trials or race.max == stages.MAX_SEEDS
    others = {*range(stages.N_SEEDS), stages.SEARCH_SEED}
    others |= {stages.SCREENING_SEED + n for n in range(stages.N_SEEDS)}
    assert not others & set(race.seeds)
    assert expand_design(parse_design(design))[0].overrides == STUDY.base


def test_search_has_as_many_points_as_the_budget_pays_for() -> None:
    stage = stages.plan_search(STUDY, ["lr", "mixup"], seconds=100, trial_seconds=2, workers=4)
    assert "hydra.sweeper.n_trials=100" in stage.words
    assert "hydra.sweeper.budget=25s" in stage.words
    assert stage.design["knobs"] == {"lr": KNOBS["lr"], "mixup": KNOBS["mixup"]}
    with pytest.raises(InsufficientBudgetError):
        stages.plan_search(STUDY, ["lr"], seconds=9, trial_seconds=2, workers=4)
