"""Texts and levels of design files are spelled as the command line has them."""

from typing import Any

import pytest

from clip_hparam.cli.hydra_app.grammar.design_files import read_design_tree, with_references


def levels(knob: str, given: Any) -> Any:
    return read_design_tree({"knobs": {knob: given}}, is_search=False)["knobs"][knob]


@pytest.mark.parametrize(
    ("knob", "given", "read"),
    [
        ("lr", [1e-3, "3e-3"], [1e-3, "3e-3"]),
        ("lr", "range(1,4)", ["1", "2", "3"]),
        ("lr", ["range(1,3)", 5], ["1", "2", 5]),
        ("lr", ["interval(1,3)"], ["interval(1,3)"]),
        ("min_lr", "${lr},1e-5", ["${lr}", "1e-5"]),
        ("data.root", [2024, "/d/a,b", "/d/a", "1e3"], ['"2024"', '"/d/a,b"', "/d/a", '"1e3"']),
        ("data.root", "/d/a,2024", ["/d/a", '"2024"']),
        ("data.root", ["/d/\u00e9/${seed}"], ['"/d/\u00e9/${seed}"']),
        ("data.root", "/d/\u00e9", ['"/d/\u00e9"']),
        ("pool", "choice(cls,clip)", ["cls", "clip"]),
    ],
)
def test_levels_of_a_design(knob: str, given: Any, read: Any) -> None:
    assert levels(knob, given) == read


@pytest.mark.parametrize("level", [1e3, True, None])
def test_a_yaml_value_that_is_no_text_is_refused_for_a_path(level: Any) -> None:
    with pytest.raises(ValueError, match="put it into quotes"):
        levels("data.root", [level])


def test_overrides_of_base_and_steps_hold_one_value() -> None:
    step = {"label": "a", "overrides": ["data.root=2024"]}
    read = read_design_tree({"base": ["data.root=/d/a,b"], "steps": [step]}, is_search=False)
    assert read["base"] == ['data.root="/d/a,b"']
    assert read["steps"] == [{"label": "a", "overrides": ['data.root="2024"']}]
    with pytest.raises(ValueError, match="list them in knobs"):
        read_design_tree({"base": ["lr=1e-3,3e-3"]}, is_search=False)


def test_levels_of_a_search_stay_as_they_are_written_and_refer_to_nothing() -> None:
    tree = {"knobs": {"encoder.name": ["a,b", "007"], "lr": "interval(1, 2)"}}
    read = read_design_tree(tree, is_search=True)
    assert read["knobs"] == {"encoder.name": ["a,b", "007"], "lr": ["interval(1, 2)"]}
    with pytest.raises(ValueError, match="a search draws values"):
        read_design_tree({"knobs": {"min_lr": ["${lr}", 0]}}, is_search=True)


def test_parts_of_a_wrong_shape_are_kept() -> None:
    tree: dict[str, Any] = {"base": "lr=1", "steps": [1, {"label": "a"}], "knobs": ["lr"]}
    assert read_design_tree(tree, is_search=False) == tree


def test_references_are_put_back_where_texts_were_resolved() -> None:
    raw = {"base": ["min_lr=${lr}", "x"], "knobs": {"lr": ["${a}", 1]}, "steps": "${parts}"}
    resolved = {"base": ["min_lr=0.01", "x"], "knobs": {"lr": [0.5, 1]}, "steps": [{"label": "s"}]}
    assert with_references(raw, resolved) == {
        "base": ["min_lr=${lr}", "x"],
        "knobs": {"lr": ["${a}", 1]},
        "steps": [{"label": "s"}],
    }
