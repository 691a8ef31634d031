"""Words are spelled as Hydra reads them, or refused with the word to type."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.cli.hydra_app.grammar.values import override_value
from clip_hparam.cli.hydra_app.grammar.words import parse_word, readable, single
from clip_hparam.config.text.override_words import format_override

CHARACTERS = "ab01/._-+=()[]{}:;#~!&@%^'\"\u00e9\u2212 e"
PATHS = st.text(st.sampled_from(CHARACTERS), min_size=1, max_size=8)


def value_of(word: str) -> object:
    return override_value(parse_word(readable(word)))


@given(PATHS.filter(lambda path: path.strip(" '\"") == path))
def test_a_path_without_commas_is_read_as_it_is_typed(path: str) -> None:
    assert value_of(f"data.root=/{path}") == f"/{path}"


@pytest.mark.parametrize(
    "text", ["2024", "1e3", "true", "False", "inf", "nan", "1_000", "007", "[x]", "{a}", ".5", "x"]
)
def test_text_that_looks_like_another_type_stays_text(text: str) -> None:
    for key in ("data.root", "machine.runs", "encoder.pretrained"):
        assert value_of(f"{key}={text}") == text


@pytest.mark.parametrize(
    "word",
    [
        *("lr=1e-3", "lr=1e-3,3e-3", "pool=cls", "recipe=glob(*)", "lr=interval(1e-3,1e-2)"),
        *("data.root=/d/a,/d/b", "data.root='/d/a,b'", "data.root=/d/my x"),
        *("hydra/launcher=inline", "~sweeps"),
    ],
)
def test_words_that_hydra_reads_are_left_as_they_are(word: str) -> None:
    assert readable(word) == word


def test_levels_that_are_text_are_quoted_one_by_one() -> None:
    assert readable("data.root=2024,/d/a,true") == 'data.root="2024",/d/a,"true"'
    assert readable("++data.root=2024") == 'data.root="2024"'


def test_a_reference_stays_one_where_text_is_quoted() -> None:
    assert readable("data.root=/d/\u00e9/${seed}") == 'data.root="/d/\u00e9/${seed}"'


@pytest.mark.parametrize(
    ("word", "advised"),
    [
        ("lr=1e\u22123", "lr=1e-3"),
        ("lr=1e\u20133", "lr=1e-3"),
        ("lr=1e-3,", "lr=1e-3"),
        ("lr=1e-3,,3e-3", "lr=1e-3,3e-3"),
        ("lr=1e-3;1e-4", "lr=1e-3,1e-4"),
        ("lr=1e-3\u00a0", "lr=1e-3"),
        ("hydra.job.name=\u00e9", 'hydra.job.name="\u00e9"'),
        ("+hydra.sweeper.design.base=[lr=1,a=2]", '+hydra.sweeper.design.base=["lr=1","a=2"]'),
        ("lr = 1e-3", "lr=1e-3"),
        (" lr=1e-3", "lr=1e-3"),
        ("data.root=/d/\u00e9,/d/b", 'data.root="/d/\u00e9,/d/b"'),
        ("data.root=/d/\u00e9,/d/b", 'data.root="/d/\u00e9",/d/b'),
        ("data.root=choice(/d/\u00e9,/d/b)", 'data.root="/d/\u00e9",/d/b'),
        ("hydra.launcher.setup=export A=1", 'hydra.launcher.setup=["export A=1"]'),
    ],
)
def test_an_unreadable_word_is_answered_with_a_word_that_works(word: str, advised: str) -> None:
    with pytest.raises(ValueError, match=r"type ") as refusal:
        readable(word)
    message = str(refusal.value)
    assert shlex.quote(advised) in message
    assert "\n" not in message
    parse_word(advised)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("lr", "is not an override"),
        ("=3", "is not an override"),
        ("l\u00e9=3", "is not an override"),
        ("mixup=choice(null,0.2)", "null is not a level of mixup"),
        ("lr=choise(1,2)", "lr=choise(1,2) cannot be read"),
        ("lr==1e-3", "lr==1e-3 is not a number of (0, inf): try lr=1e-3"),
        ("pool=\u00e9", "pool=\u00e9 is not one of patch_mean, cls, clip"),
        ("min_lr=${lr", "a reference is ${knob}"),
        ("min_lr=${oc.env:A,${lr}}", "a reference is ${knob}"),
    ],
)
def test_other_words_are_refused_in_a_sentence(word: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        readable(word)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_one_value_takes_the_commas_of_a_text_and_refuses_levels() -> None:
    assert single("data.root=/d/a,b") == format_override("data.root", "/d/a,b")
    assert single("lr=1e-3") == "lr=1e-3"
    with pytest.raises(ValueError, match="list them in knobs"):
        single("lr=1e-3,3e-3")
