"""Labels break after commas, plus signs and spaces, never inside a number or before a unit."""

import pytest

from clip_hparam.analysis.figures.parts.line_breaks import break_lines


@pytest.mark.parametrize(
    ("text", "characters", "lines"),
    [
        ("lr=0.003,layer_decay=0.65", 16, ["lr=0.003,", "layer_decay=0.65"]),
        ("lr=0.003,layer_decay=0.65", 25, ["lr=0.003,layer_decay=0.65"]),
        ("llrd+ema+weak_aug", 9, ["llrd+ema+", "weak_aug"]),
        ("95 %, 1,000 images", 8, ["95 %,", "1,000", "images"]),
        ("test accuracy, %", 14, ["test", "accuracy, %"]),
        ("a_word_without_any_separator", 5, ["a_word_without_any_separator"]),
    ],
)
def test_lines_break_at_separators_and_spaces(text: str, characters: int, lines: list[str]) -> None:
    assert break_lines(text, characters) == lines


def test_hyphens_end_a_line_only_where_they_may() -> None:
    assert break_lines("zero-shot head", 6) == ["zero-", "shot", "head"]
    assert break_lines("zero-shot head", 6, hyphens=False) == ["zero-shot", "head"]
