"""The page of one knob states its meaning, its values and commands."""

import pytest

from clip_hparam.cli.reference.entries import entries, find_entry
from clip_hparam.cli.reference.one_knob import knob_lines, readable_values


@pytest.mark.parametrize(
    ("legal", "words"),
    [
        ("number in (0, inf)", "number above 0"),
        ("whole number in [1, inf)", "whole number of 1 or more"),
        ("auto, or number in [0, 1)", "auto, or number from 0 to below 1"),
        ("number in (0, 1]", "number above 0, at most 1"),
        ("number in [0, 1]", "number from 0 to 1"),
        ("one of cls, clip", "one of cls, clip"),
    ],
)
def test_intervals_are_words(legal: str, words: str) -> None:
    assert readable_values(legal) == words


def test_the_page_names_values_defaults_effect_synonyms_and_commands() -> None:
    text = "\n".join(knob_lines(find_entry("weight_decay"), 0.1, ["study", "random"]))
    for part in (
        *("number of 0 or more", "weight_decay=0.1, of the default recipe", "weight_decay=0.05"),
        *("pulls the matrices to 0", "wd, weight-decay", "study, random"),
        *("weight_decay=VALUE", "-m weight_decay=A,B seeds=3", "-m sweeps=study"),
    ):
        assert part in text


def test_every_page_fits_80_columns_and_has_no_bare_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for entry in entries().values():
        lines = list(knob_lines(entry, entry.default, ["lr_with_batch_size"]))
        assert [line for line in lines if len(line) > 80] == []
        assert not any(line.startswith("  hint") for line in lines)


def test_a_key_of_the_driver_is_no_knob_to_sweep() -> None:
    text = "\n".join(knob_lines(find_entry("seeds"), None, ["search"]))
    assert "seeds=VALUE  beside other words" in text
    assert "search" not in text
    assert "null" not in text
