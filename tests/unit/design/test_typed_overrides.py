"""A typed override reaches the cells whose steps do not set its key."""

import pytest

from clip_hparam.design.design import Design, Step, with_base
from clip_hparam.design.expand import expand_design
from clip_hparam.design.typed_overrides import reach_notes, refuse_searched, replaced_step_notes

STEPS = (Step("slow", ("lr=1e-3",)), Step("long", ("epochs=9",)), Step("plain", ()))


def design_of(kind: str, *typed: str, steps: tuple[Step, ...] = STEPS) -> Design:
    return with_base(Design("mine", kind, ("recipe=ema",), steps=steps), typed)


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("list", "2 of 3 cells (long and plain)"),
        ("leave_one_out", "1 of 4 cells (no slow)"),
        ("factorial", "4 of 8 cells (none, long, plain and long+plain)"),
    ],
)
def test_cells_that_keep_an_override_are_named(kind: str, kept: str) -> None:
    (note,) = reach_notes(design_of(kind, "lr=1"), ["lr=1"])
    assert note == f"lr=1 applies to {kept}: in the others step slow sets lr"


@pytest.mark.parametrize("typed", ["lr=5e-4", "lr=1e-3"])
def test_an_override_that_no_cell_keeps_is_refused_also_at_the_value_of_a_step(typed: str) -> None:
    with pytest.raises(ValueError, match=rf"{typed} applies to no cell of mine: step slow sets lr"):
        reach_notes(design_of("ladder", typed), [typed])


def test_steps_that_set_the_typed_value_keep_it() -> None:
    same, other = Step("winner 1", ("epochs=1",)), Step("long", ("epochs=9",))
    design = design_of("list", "epochs=1", steps=(STEPS[2], same))
    assert reach_notes(design, ["epochs=1"]) == []
    design = design_of("list", "epochs=1", steps=(STEPS[2], same, other))
    (note,) = reach_notes(design, ["epochs=1"])
    assert note.endswith("(plain and winner 1): in the others step long sets epochs")


def test_overrides_that_no_step_sets_reach_all_cells() -> None:
    typed = ["recipe=llrd", "mixup=0.5"]
    assert reach_notes(design_of("ladder", *typed), typed) == []


def test_a_swept_key_of_a_step_is_reported() -> None:
    steps = (Step("long", ("epochs=9", "warmup=1")), *STEPS[:1])
    design = design_of("leave_one_out", steps=steps)
    (note,) = replaced_step_notes(design, expand_design(design), {"epochs": ["1", "2"]})
    assert note == "epochs=1,2 replaces the epochs that step long sets"
    assert replaced_step_notes(design, expand_design(design), {"mixup": ["0", "1"]}) == []


def test_a_swept_key_that_makes_cells_equal_is_refused() -> None:
    steps = (Step("a", ("lr=1",)), Step("b", ("lr=2",)))
    design = design_of("list", steps=steps)
    with pytest.raises(ValueError, match="the cells a and b are one"):
        replaced_step_notes(design, expand_design(design), {"lr": ["3", "4"]})


def test_a_study_refuses_a_typed_knob_that_it_varies() -> None:
    study = Design("mine", "study", knobs={"lr": ["1", "2"]})
    refuse_searched(study, ["epochs=3"])
    with pytest.raises(ValueError, match="lr=1 would apply to some stages only"):
        refuse_searched(study, ["epochs=3", "lr=1"])
