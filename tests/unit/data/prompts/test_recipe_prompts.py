"""Prompts of files act on the head of words, and are in the id exactly where they change it."""

from pathlib import Path
from typing import Any

import pytest

from clip_hparam.config.identity import trial_id
from clip_hparam.config.recipe import Data, Recipe, with_values
from clip_hparam.data.prompt_templates import clip_templates, imagenet_ids, imagenet_words
from clip_hparam.data.prompts.recipe_prompts import (
    class_words,
    prompt_notes,
    prompts_of,
    verified_prompts,
)
from clip_hparam.planning.resolve import resolve

ZERO_SHOT = {"pool": "clip", "head_init": "zero_shot"}
DIGITS = tuple("0123456789")


def written(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines))
    return str(path)


def resolved(**knobs: Any) -> Recipe:
    return resolve(with_values(Recipe(), {name.replace("__", "."): v for name, v in knobs.items()}))


def test_names_and_templates_replace_those_of_the_data_set(tmp_path: Path) -> None:
    names = written(tmp_path / "n.txt", "nil", "one")
    two = written(tmp_path / "t.txt", "a {}", "{}, {}!")
    both = Data(name="digits", class_names=names, templates=two)
    with pytest.raises(ValueError, match="holds 2 names, and the data set has 10 classes"):
        prompts_of(both, "ViT-B-16", DIGITS)
    written(tmp_path / "n.txt", *(f"d{n}" for n in range(10)))
    assert prompts_of(both, "ViT-B-16", DIGITS)[3] == ["a d3", "d3, d3!"]
    only_names = Data(name="digits", class_names=names)
    assert prompts_of(only_names, "ViT-B-16", DIGITS)[3] == ['a photo of the number: "d3".']
    only_templates = Data(name="folder", templates=two)
    assert prompts_of(only_templates, "ViT-B-16", ["great_cat"]) == [
        ["a great cat", "great cat, great cat!"]
    ]
    assert prompts_of(Data(), "ViT-B-16", ("7",)) == [['a photo of the number: "7".']]


def test_a_text_tower_with_few_words_refuses_others(tmp_path: Path) -> None:
    letters = written(tmp_path / "n.txt", *"abcdefghij")
    assert prompts_of(Data(class_names=letters), "tiny", DIGITS)[1][0] == "the lowercase letter b"
    good = written(tmp_path / "t.txt", "the digit {}")
    assert prompts_of(Data(templates=good), "tiny", DIGITS)[1] == ["the digit 1"]
    bad = written(tmp_path / "bad.txt", "a photo of {}")
    with pytest.raises(ValueError, match="tiny CLIP does not know the word 'photo'"):
        prompts_of(Data(templates=bad), "tiny", DIGITS)
    with pytest.raises(ValueError, match="has no prompts for nil"):
        resolved(data__class_names=written(tmp_path / "x.txt", "nil", *"123456789"), **ZERO_SHOT)


def test_one_name_for_two_classes_is_refused_unless_clip_has_it(tmp_path: Path) -> None:
    twice = written(tmp_path / "n.txt", *"0123456788")
    with pytest.raises(ValueError, match="gives 8, 9 one name, 8: zero-shot CLIP cannot tell"):
        class_words(Data(class_names=twice), DIGITS)
    ids = [n for n in imagenet_ids() if imagenet_words([n]) == ["sunglasses"]]
    assert len(ids) == 2
    rows = [f"{one}\tsunglasses" for one in ids]
    data = Data(name="digits", class_names=written(tmp_path / "s.txt", *rows))
    with pytest.raises(ValueError, match="one name, sunglasses"):
        class_words(data, ids)


def test_the_id_changes_exactly_where_prompts_are_used_and_differ(tmp_path: Path) -> None:
    same = written(tmp_path / "same.txt", *DIGITS)
    other = written(tmp_path / "other.txt", *DIGITS[::-1])
    plain, words = trial_id(resolved()), trial_id(resolved(**ZERO_SHOT))
    assert trial_id(resolved(data__class_names=other)) == plain
    assert trial_id(resolved(data__class_names=same, **ZERO_SHOT)) == words
    changed = resolved(data__class_names=other, **ZERO_SHOT)
    assert trial_id(changed) != words
    assert resolve(changed) == changed
    copy = written(
        tmp_path / "copy.json", '{"0": "9"', *(f',"{n}": "{9 - n}"' for n in range(1, 10)), "}"
    )
    assert trial_id(resolved(data__class_names=copy, **ZERO_SHOT)) == trial_id(changed)


def test_a_file_that_changes_after_planning_is_refused(tmp_path: Path) -> None:
    names = written(tmp_path / "n.txt", *DIGITS[::-1])
    recipe = resolved(data__class_names=names, **ZERO_SHOT)
    assert verified_prompts(recipe, DIGITS) == prompts_of(recipe.data, "tiny", DIGITS)
    written(tmp_path / "n.txt", *DIGITS)
    with pytest.raises(ValueError, match=r"was planned with data.prompts=.*now give default"):
        verified_prompts(recipe, DIGITS)


def test_files_without_effect_are_noted(tmp_path: Path) -> None:
    file = written(tmp_path / "t.txt", "a {}")
    recipe = with_values(Recipe(), {"data.templates": file})
    assert prompt_notes(recipe) == [
        f"data.templates={file} changes nothing here: prompts are read by head_init=zero_shot"
    ]
    assert prompt_notes(with_values(recipe, ZERO_SHOT)) == prompt_notes(Recipe()) == []


@pytest.mark.parametrize(
    ("knob", "lines", "problem"),
    [
        ("data.class_names", ["nil", "one"], "holds 2 names, and the data set has 10 classes"),
        ("data.templates", ["a photo"], "does not hold {}, where the class name is put"),
    ],
)
def test_files_without_effect_are_checked(
    tmp_path: Path, knob: str, lines: list[str], problem: str
) -> None:
    recipe = with_values(Recipe(), {knob: written(tmp_path / "t.txt", *lines)})
    with pytest.raises(ValueError, match=problem):
        prompt_notes(recipe)


def test_clip_has_80_templates() -> None:
    assert len(clip_templates()) == 80
    assert clip_templates()[0] == "a bad photo of a {}."
