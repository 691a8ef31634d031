"""The screening of a campaign: design and seeds, and the knobs that are searched after it."""

import math

import pytest

from clip_hparam.analysis.evidence.studies.screening import KnobEffect, Screening
from clip_hparam.design.design import Design, key_of, parse_design
from clip_hparam.design.expand import expand_design
from clip_hparam.sweep.campaigns import screening as rules
from clip_hparam.sweep.campaigns.screening import SelectionSet, choose_knobs, plan_screening
from clip_hparam.sweep.campaigns.stages import SCREENING_SEED, SEARCH_SEED, InsufficientBudgetError

KNOBS = {
    "mixup": ["0", "interval(0.2, 1.0)"],
    "lr": ["tag(log, interval(1e-3, 1e-1))"],
    "ema_decay": ["0", "auto"],
    "layer_decay": ["interval(0.5, 0.9)"],
    "drop_path": ["0", "0.1"],
}
STUDY = Design("study", "study", base=("recipe=weak_aug",), knobs=KNOBS)


def screened(margin: float = 0.5, **effects: float) -> Screening:
    """Return a screening with these effects; "lr__layer_decay" is an interaction."""
    found = [
        KnobEffect(name.replace("__", ":"), points, abs(points) > margin)
        for name, points in sorted(effects.items(), key=lambda pair: -abs(pair[1]))
    ]
    return Screening(tuple(found), margin, "t", 16, 3, 200, math.nan)


@pytest.mark.parametrize("trials", [0, 7, 8, 15, 16, 17, 48, 99])
def test_screening_fits_the_budget_and_varies_every_knob(trials: int) -> None:
    if trials < 8:
        with pytest.raises(InsufficientBudgetError, match="takes 8 trials"):
            plan_screening(STUDY, trials)
        return
    design = plan_screening(STUDY, trials).design
    made = expand_design(parse_design(design))
    assert len(made) * len(design["seeds"]) <= trials
    for knob in KNOBS:
        levels = [word for cell in made for word in cell.overrides if key_of(word) == knob]
        assert len(levels) == len(made)
        assert [levels.count(level) for level in set(levels)] == [len(made) / 2] * 2


def test_screening_levels_lie_inside_the_ranges() -> None:
    words = {
        w
        for cell in expand_design(parse_design(plan_screening(STUDY, 99).design))
        for w in cell.overrides
    }
    assert {"layer_decay=0.6", "layer_decay=0.8", "mixup=0", "mixup=0.6"} <= words
    assert {"ema_decay=0", "ema_decay=auto"} <= words


@pytest.mark.parametrize(
    ("images", "trials", "seeds", "said"),
    [
        (30, 1000, 10, "not 1: that takes"),  # ten seeds are the most, and too few
        (30, 48, 3, "not 1: that takes 419 selection images (data.selection)"),
        (200, 48, 3, "(data.selection), or 5 seeds and a larger budget"),
        (200, 1000, 5, "they can resolve effects from 1.0 points on"),
        (10_000, 1000, 3, "they can resolve effects from 0.2 points on"),
        (10_000, 20, 1, "points on"),
    ],
)
def test_seeds_resolve_a_point_or_the_decision_says_that_they_do_not(
    images: int, trials: int, seeds: int, said: str
) -> None:
    stage = plan_screening(STUDY, trials, SelectionSet(90.0, images))
    assert stage.design["seeds"] == list(range(SCREENING_SEED, SCREENING_SEED + seeds))
    assert said in stage.why
    assert f"{images} selection images" in stage.why
    assert SCREENING_SEED + rules.MAX_SCREENING_SEEDS <= SEARCH_SEED


def test_number_of_images_that_the_decision_names_is_enough() -> None:
    why = plan_screening(STUDY, 48, SelectionSet(90.0, 30)).why
    needed = int(why.partition("that takes ")[2].split()[0])
    assert "not 1" not in plan_screening(STUDY, 48, SelectionSet(90.0, needed)).why


def test_lr_is_searched_though_its_main_effect_is_zero() -> None:
    chosen = choose_knobs(list(KNOBS), screened(mixup=3.0, lr=0.0, ema_decay=2.0, drop_path=0.1))
    assert list(chosen.reasons) == ["lr", "mixup", "ema_decay"]
    assert chosen.reasons["lr"] == "always searched, effect 0.00"


def test_both_knobs_of_an_interaction_are_searched_though_their_main_effects_cancel() -> None:
    effects = {"lr": 0.1, "layer_decay": -0.1, "mixup": 1.0, "lr__layer_decay": -4.0}
    chosen = choose_knobs(list(KNOBS), screened(**effects))
    assert list(chosen.reasons) == ["lr", "layer_decay", "mixup"]
    assert chosen.reasons["layer_decay"] == "interaction lr:layer_decay \N{MINUS SIGN}4.00"


def test_knob_inside_the_margin_is_said_to_be_inside() -> None:
    chosen = choose_knobs(list(KNOBS), screened(5.62, lr=1.04, mixup=-3.96, ema_decay=0.5))
    assert list(chosen.reasons) == ["lr", "mixup"]
    assert (
        chosen.reasons["mixup"]
        == "the largest of the others, \N{MINUS SIGN}3.96 is inside the margin"
    )
    assert "cannot rule out effects over 1 point of ema_decay" in chosen.sentence


def test_small_margin_rules_out_the_knobs_that_are_left() -> None:
    chosen = choose_knobs(list(KNOBS), screened(0.3, lr=2.0, mixup=1.0, ema_decay=0.2))
    assert "cannot rule out" not in chosen.sentence
    assert "margin 0.30" in chosen.sentence


def test_at_most_five_knobs_are_searched_and_lr_is_one() -> None:
    many = {f"knob_{n}": float(n) for n in range(1, 9)}
    chosen = choose_knobs([*many, "lr"], screened(**many, lr=0.0))
    assert list(chosen.reasons) == ["lr", "knob_8", "knob_7", "knob_6", "knob_5"]


def test_all_knobs_are_searched_if_none_was_screened() -> None:
    assert list(choose_knobs(list(KNOBS), None).reasons) == list(KNOBS)
    without_lr = choose_knobs(["mixup", "drop_path"], screened(mixup=0.1, drop_path=0.2))
    assert list(without_lr.reasons) == ["drop_path", "mixup"]
