"""Several values or a range where one value is needed are answered with what to type."""

import shlex
from pathlib import Path

import pytest
from support.cli import clip_hparam, plan

SENTENCES = {
    "hydra.sweeper.n_trials=3,5": "and hydra.sweeper.n_trials has one: type one command per value",
    "hydra.launcher.timeout_min=3,4": "has one: type one command per value",
    "hydra/launcher=inline,workers": "and hydra/launcher has one",
    "hydra.sweeper.objective=a,b": "for a list type 'hydra.sweeper.objective=[a,b]'",
    "hydra.sweeper.params.lr=interval(1e-4,1e-3)": "type 'lr=interval(1e-4,1e-3)'",
    "budget=1H": "budget=1H is not legal: try 90s, 30m, 8h, 2d, or none",
    "budget='2 h'": "is not legal: try 90s, 30m, 8h, 2d, or none",
    "budget=..5h": "is not legal: try 90s, 30m, 8h, 2d, or none",
    "budget=0h": "budget=0h is not a time: try budget=90s, 30m, 8h or 2d",
    "machine.device=gpu": "machine.device=gpu is not legal: try auto, cpu, cuda or cuda:1",
}


@pytest.mark.parametrize("word", SENTENCES)
def test_a_setting_that_has_one_value_is_answered_in_one_sentence(
    word: str, tmp_path: Path
) -> None:
    done = plan("-m", "lr=1e-3,3e-3", word, "dry_run=true", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert SENTENCES[word] in done.err
    assert done.err.count("\n") == 1


def test_a_range_that_a_design_does_not_draw_names_the_word_that_adds_it(tmp_path: Path) -> None:
    words = ("-m", "sweeps=random", "hydra.sweeper.design.samples=2", "dry_run=true")
    refused = plan(*words, "epochs=interval(1,3)", cwd=tmp_path)
    assert refused.code == 2
    assert "random draws lr, layer_decay, drop_path only" in refused.err
    (word,) = shlex.split(refused.err.partition("to the design by ")[2])
    drawn = plan(*words, word, cwd=tmp_path)
    assert drawn.code == 0, drawn.err
    assert "epochs=" in drawn.out


def test_a_range_without_a_search_names_the_search(tmp_path: Path) -> None:
    words = ("-m", "lr=interval(1e-4,1e-3)", "dry_run=true")
    refused = plan(*words, cwd=tmp_path)
    assert refused.code == 2
    added = refused.err.split()[-1]
    assert plan(*words, added, cwd=tmp_path).code == 0


@pytest.mark.parametrize("word", ["lr=1e-3,3e-3", "recipe=ema,llrd", "sweeps=ladder"])
def test_describe_of_several_recipes_names_the_command_that_shows_them(
    word: str, tmp_path: Path
) -> None:
    done = clip_hparam("describe", word, cwd=tmp_path)
    assert done.code == 2
    assert "add -m" not in done.err
    command = done.err.partition("clip-hparam sweep ")[2].partition(" shows")[0]
    shown = plan(*shlex.split(command), cwd=tmp_path)
    assert shown.code == 0, shown.err
    assert "nothing was started" in shown.out
