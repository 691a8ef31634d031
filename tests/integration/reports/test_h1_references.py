"""A reference to another knob takes the value of its own cell, wherever it is used."""

from pathlib import Path

import pytest
from support.cli import clip_hparam, sweep
from support.planned import planned_trials, write_design, write_recipe

from clip_hparam.config.trial_spec import TrialSpec

GRID = "kind: grid\nknobs: {lr: [1e-3, 3e-3]}\n"
DESIGNS = {
    "base": 'kind: grid\nbase: ["min_lr=${lr}"]\nknobs: {lr: [1e-3, 3e-3]}\n',
    "level": 'kind: grid\nknobs: {lr: [1e-3, 3e-3], min_lr: ["${lr}"]}\n',
    "text of levels": 'kind: zip\nknobs: {lr: "1e-3,3e-3", min_lr: "${lr},${lr}"}\n',
    "step": "kind: ladder\nsteps:\n"
    '  - {label: a, overrides: ["min_lr=${lr}", lr=1e-3]}\n'
    "  - {label: b, overrides: [lr=3e-3]}\n",
    "one at a time": 'kind: one_at_a_time\nbase: ["min_lr=${lr}"]\nknobs: {lr: [1e-3, 3e-3]}\n',
}


def rates(specs: list[TrialSpec]) -> list[tuple[float, float]]:
    return [(spec.recipe.lr, spec.recipe.min_lr) for spec in specs]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_reference_in_a_design_takes_the_value_of_its_cell(design: str, tmp_path: Path) -> None:
    write_design(tmp_path, DESIGNS[design])
    specs = planned_trials("-m", "sweeps=mine", cwd=tmp_path)
    assert rates(specs) == [(1e-3, 1e-3), (3e-3, 3e-3)]


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "lr=1e-3,3e-3", "min_lr=${lr}"),
        ("-m", "lr=1e-3,3e-3", "min_lr=${eps}", "eps=${lr}"),
        ("-m", "sweeps=mine", "min_lr=${lr}"),
        ("-m", "recipe=mine", "lr=1e-3,3e-3"),
    ],
)
def test_a_reference_that_is_typed_takes_the_value_of_its_cell(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    write_design(tmp_path, GRID)
    write_recipe(tmp_path, "min_lr: ${lr}\n")
    assert rates(planned_trials(*words, cwd=tmp_path)) == [(1e-3, 1e-3), (3e-3, 3e-3)]


@pytest.mark.parametrize("words", [("lr=2e-3", "min_lr=${lr}"), ("recipe=mine", "lr=2e-3")])
def test_a_reference_of_one_trial_takes_its_value(words: tuple[str, ...], tmp_path: Path) -> None:
    write_recipe(tmp_path, "min_lr: ${lr}\n")
    (spec,) = planned_trials(*words, cwd=tmp_path)
    assert rates([spec]) == [(2e-3, 2e-3)]
    (same,) = planned_trials("lr=2e-3", "min_lr=2e-3", cwd=tmp_path)
    assert spec.trial_id == same.trial_id


def test_a_design_of_other_sweeps_of_levels_keeps_its_references(tmp_path: Path) -> None:
    write_design(tmp_path, DESIGNS["base"])
    specs = planned_trials("-m", "sweeps=mine", "lr=1e-4,5e-4", cwd=tmp_path)
    assert rates(specs) == [(1e-4, 1e-4), (5e-4, 5e-4)]
    specs = planned_trials("-m", "sweeps=mine", "min_lr=1e-7", cwd=tmp_path)
    assert rates(specs) == [(1e-3, 1e-7), (3e-3, 1e-7)]


@pytest.mark.parametrize("replicates", ["seed=0,1", "seeds=2"])
def test_a_reference_to_the_seed_differs_between_replicates(
    replicates: str, tmp_path: Path
) -> None:
    specs = planned_trials("-m", "min_lr=${seed}", replicates, cwd=tmp_path)
    assert [spec.recipe.min_lr for spec in specs] == [0, 1]


def test_text_around_a_reference_is_kept_in_texts(tmp_path: Path) -> None:
    typed = ("machine.runs=r_${seed}_${data.shots}", "seed=3", "data.shots=7")
    for words in (typed, ("-m", *typed)):
        (spec,) = planned_trials(*words, cwd=tmp_path)
        assert spec.machine.runs == "r_3_7"
    specs = planned_trials("-m", "machine.runs=r_${epochs}", "lr=1,2", "epochs=3", cwd=tmp_path)
    assert [spec.machine.runs for spec in specs] == ["r_3", "r_3"]


def test_a_variable_of_the_program_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_HPARAM_MY_LR", "2e-3")
    for words in (("lr=${oc.env:CLIP_HPARAM_MY_LR}",), ("-m", "lr=${oc.env:CLIP_HPARAM_MY_LR}")):
        (spec,) = planned_trials(*words, cwd=tmp_path)
        assert spec.recipe.lr == 2e-3


REFUSED = {
    "min_lr=${lrr}": "min_lr=${lrr} refers to lrr, which is not a knob: did you mean lr?",
    "min_lr=${lr}/100": "nothing is calculated with it; type the number",
    "epochs=${lr}": "epochs=0.006 is not a whole number",
    "data.root=${oc.env:HOME} data=folder": "NAME begins with CLIP_HPARAM_",
    "min_lr=${lr": "a reference is ${knob}, complete",
}


@pytest.mark.parametrize("mode", ["", "-m "])
@pytest.mark.parametrize("words", REFUSED)
def test_other_references_are_refused_in_a_sentence(words: str, mode: str, tmp_path: Path) -> None:
    done = sweep(*f"{mode}{words}".split(), cwd=tmp_path)
    assert done.code == 2
    assert REFUSED[words] in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("min_lr=${lr} hydra.sweeper.n_trials=3", "min_lr refers to a knob that a search"),
        ("min_lr=${lr},1e-6 hydra.sweeper.n_trials=3", "and a search draws values"),
        ("hydra.sweeper.n_trials=3 hydra.sweeper.study_name=${oc.env:HOME}", "CLIP_HPARAM_"),
        ("hydra.sweeper.n_trials=3 min_lr=${seed} seeds=2", "min_lr refers to a knob that a"),
    ],
)
def test_a_search_refuses_references_to_searched_knobs(
    words: str, sentence: str, tmp_path: Path
) -> None:
    done = sweep("-m", "lr=interval(1e-3,1e-2)", *words.split(), "dry_run=true", cwd=tmp_path)
    assert done.code == 2
    assert sentence in done.err


def test_a_secret_of_the_environment_is_refused_in_a_design(tmp_path: Path) -> None:
    write_design(tmp_path, 'base: ["data.root=${oc.env:HOME}"]\n' + GRID)
    done = sweep("--config-dir", "conf", "-m", "sweeps=mine", cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "NAME begins with CLIP_HPARAM_" in done.err


def test_shared_options_refer_to_no_swept_knob(tmp_path: Path) -> None:
    for words in (("lr=1,2", "machine.runs=r${lr}"), ("seeds=2", "machine.runs=r${seed}")):
        done = sweep("-m", *words, cwd=tmp_path)
        assert done.code == 2
        assert "machine.runs would differ between the trials of this sweep" in done.err


def test_describe_takes_references(tmp_path: Path) -> None:
    done = clip_hparam("describe", "lr=2e-3", "min_lr=${lr}", cwd=tmp_path)
    assert "floor 0.002" in done.out
