"""The stages of a campaign, planned from given costs and effects."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.design import racing
from clip_hparam.design.design import Design, key_of, parse_design
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


@pytest.mark.parametrize("trials", [0, 7, 8, 15, 16, 17, 48, 99])
def test_screening_fits_the_budget_and_varies_every_knob(trials: int) -> None:
    if trials < 8:
        with pytest.raises(InsufficientBudgetError, match="takes 8 trials"):
            stages.plan_screening(STUDY, trials)
        return
    design = stages.plan_screening(STUDY, trials).design
    made = expand_design(parse_design(design))
    assert len(made) * len(design["seeds"]) <= trials
    for knob in KNOBS:
        levels = [word for cell in made for word in cell.overrides if key_of(word) == knob]
        assert len(levels) == len(made)
        assert [levels.count(level) for level in set(levels)] == [len(made) / 2] * 2


def test_screening_levels_lie_inside_the_ranges() -> None:
    words = {
        w
        for cell in expand_design(parse_design(stages.plan_screening(STUDY, 99).design))
        for w in cell.overrides
    }
    assert {"layer_decay=0.6", "layer_decay=0.8", "mixup=0", "mixup=0.6"} <= words
    assert {"ema_decay=0", "ema_decay=auto"} <= words


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


@given(st.dictionaries(st.sampled_from(list(KNOBS)), st.floats(-5, 5), min_size=5))
def test_main_effects_of_a_sum_are_its_terms(terms: dict[str, float]) -> None:
    made = expand_design(parse_design(stages.plan_screening(STUDY, 99).design))
    measured = []
    for cell in made:
        on = frozenset(cell.label.split("+"))
        measured.append((on, 90 + sum(terms[knob] for knob in on if knob in terms)))
    found = stages.main_effects(list(KNOBS), measured)
    assert found == pytest.approx(terms)


def test_significant_knobs_are_returned_largest_first() -> None:
    noise = {f"knob {n}": 0.1 * (-1) ** n * (1 + n / 10) for n in range(7)}
    kept, margin = stages.significant_knobs({**noise, "lr": -6.0, "mixup": 2.0, "pool": 4.0})
    assert kept == ["lr", "pool", "mixup"]
    assert 0.1 < margin < 2
    assert stages.significant_knobs(noise)[0] == ["knob 6", "knob 5"]
    many = {f"knob {n}": float(n) for n in range(5, 15)} | dict.fromkeys("abcdefghijklm", 0.01)
    assert len(stages.significant_knobs(many)[0]) == stages.MAX_KNOBS
