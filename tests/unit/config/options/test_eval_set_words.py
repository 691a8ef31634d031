"""Words of eval_sets are names, or names with a path."""

from pathlib import Path
from typing import Any

import pytest

from clip_hparam.config.options.eval_set_words import (
    EvalSetWord,
    absolute_words,
    eval_set_words,
    parse_word,
    set_names,
)


def test_words_are_names_with_or_without_a_path() -> None:
    assert parse_word("glyphs") == EvalSetWord("glyphs")
    assert parse_word("mine:/data/a:b") == EvalSetWord("mine", "/data/a:b")


def test_absolute_words_mean_the_same_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_words(["glyphs", "mine:sub/a:b"]) == ["glyphs", f"mine:{tmp_path}/sub/a:b"]


@pytest.mark.parametrize(
    ("value", "words"), [(None, ()), ("glyphs", ("glyphs",)), (["a:b", "c"], ("a:b", "c"))]
)
def test_a_value_is_a_list_a_word_or_null(value: Any, words: tuple[str, ...]) -> None:
    assert eval_set_words(value) == words


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([3], "3 is neither NAME nor NAME:PATH"),
        (["/data"], "'/data' is neither NAME nor NAME:PATH"),
        (["a.b:x"], "'a.b:x' is neither NAME nor NAME:PATH"),
        (["a:x", "a:y"], "names a twice: give one of them another name"),
    ],
)
def test_other_values_are_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        eval_set_words(value)


def test_corruptions_are_a_set_for_each_severity() -> None:
    severities = [f"corrupted_{severity}" for severity in range(1, 6)]
    assert set_names(["corruptions", "corrupted_2", "x:y"]) == [*severities, "x"]
