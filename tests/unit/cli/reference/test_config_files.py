"""Files of sweeps and recipes state their question, and recipes their cost."""

from pathlib import Path

import pytest

from clip_hparam.cli.reference.config_files import read_header, recipe_files, sweep_files


def test_every_file_states_a_question_of_one_sentence() -> None:
    files = [*sweep_files(), *recipe_files()]
    assert [file.name for file in files if not file.question] == []
    assert [file.name for file in files if file.question.startswith("@package")] == []
    assert [file.name for file in files if "sweep.py" in file.question] == []


def test_recipes_of_the_miniature_state_their_cost_and_come_first() -> None:
    recipes = recipe_files()
    assert recipes[0].family == "tiny"
    assert all("Costs" in recipe.cost for recipe in recipe_files("tiny"))
    assert {recipe.typed for recipe in recipe_files("b16")} >= {
        "family=b16 recipe=ema",
        "recipe=ft_clip/b16_384",
    }


def test_sweeps_that_recipes_were_chosen_by_are_listed_on_request_only() -> None:
    asked = {file.name for file in sweep_files(everything=False)}
    assert "ladder" in asked
    assert {file.name for file in sweep_files()} - asked >= {"tune_characters_ema", "landscape"}
    assert next(file for file in sweep_files() if file.name == "search").kind == "search"


def test_an_unknown_family_is_answered_with_all() -> None:
    with pytest.raises(ValueError, match="choose from tiny, b16"):
        recipe_files("b61")


def test_the_command_and_the_cost_are_no_part_of_the_question(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "# @package _global_\n# python sweep.py recipe=mine\n# Costs 8 s; gives 94.1 %.\n"
        "# A first question,\n# over two lines. More.\nlr: 1\n# no header\n"
    )
    assert read_header(path) == (
        "A first question, over two lines.",
        "Costs 8 s; gives 94.1 %.",
    )
