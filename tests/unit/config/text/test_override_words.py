"""Overrides that the program writes are read back by Hydra as they were meant."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from clip_hparam.config.text.override_words import (
    config_folder_words,
    format_override,
    unquote,
)

ALPHABET = list("ab1.e-+_/\\'\"${}[]():=,~ \té\u22120nulINFtrue\n%;!#*")
TEXTS = st.text(st.sampled_from(ALPHABET), max_size=8)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))


def read(word: str) -> Any:
    """Return the value that Hydra gives the key of an override, references resolved."""
    value = OverridesParser.create().parse_overrides([word])[0].value()
    return OmegaConf.to_container(OmegaConf.create({"k": value}), resolve=True)["k"]  # type: ignore[index, call-overload]


@settings(max_examples=300, deadline=None)
@given(VALUES)
@example("/d/a,b")
@example("/d/my photos")
@example(" ")
@example("")
@example("2024")
@example("1e3")
@example("null")
@example("${lr}")
@example("\\${lr}")
@example("it's")
@example('a"b\\')
@example("~/photos")
@example("${oc.env:HOME}")
def test_hydra_reads_the_value_that_was_written(value: Any) -> None:
    again = read(format_override("k", value))
    assert again == value
    assert type(again) is type(value)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_the_text_in_quotes_is_found_again(text: str) -> None:
    assert unquote(format_override("k", text).partition("=")[2]) == text


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("clip", "k=clip"),
        ("/d/a", "k=/d/a"),
        (1e-3, "k=0.001"),
        ("a,b", 'k="a,b"'),
        (None, "k=null"),
    ],
)
def test_plain_values_are_written_without_quotes(value: Any, word: str) -> None:
    assert format_override("k", value) == word


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("--config-dir my_files -m sweeps=lr machine=lab", ["--config-dir", "my_files"]),
        ("-m -cd my_files lr=1", ["--config-dir", "my_files"]),
        ("-m --config-dir=my_files", ["--config-dir", "my_files"]),
        ("-m sweeps=lr", []),
    ],
)
def test_folder_of_config_files_is_repeated_as_typed(
    typed: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["sweep.py", *typed.split()])
    assert config_folder_words() == expected
