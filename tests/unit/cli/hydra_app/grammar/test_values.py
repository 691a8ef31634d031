"""Keys and values that no trial can have are named with the legal ones."""

import pytest

from clip_hparam.cli.hydra_app.grammar.values import override_value, word_mistakes
from clip_hparam.cli.hydra_app.grammar.words import parse_word

MISTAKES = {
    "seed=a": "seed=a is not a whole number of [0, 4294967295]",
    "epochs=2.5": "epochs=2.5 is not a whole number of [1, inf): try epochs=20",
    "lr=": "lr= is not a number of (0, inf): try lr=1e-3",
    "lr=true": "lr=true is not a number of (0, inf): try lr=1e-3",
    "lr=[1e-3,3e-3]": "lr=[0.001,0.003] is a list: for levels type -m lr=0.001,0.003",
    "weight_decay=0,05": "weight_decay=05 is not a number of [0, inf)",
    "pool=xyz": "pool=xyz is not one of patch_mean, cls, clip",
    "machine.threads=x": "machine.threads=x is not a whole number of [1, inf)",
    "machine.thread=2": "unknown knob machine.thread: did you mean machine.threads",
    "detach=maybe": "detach=maybe is neither true nor false",
    "sweeps=": "sweeps= names no option",
    "recipe=null": "recipe=null names no option",
    "lr@pkg=3": "lr is a knob and has no package; type lr=3",
    "+lr=3": "+lr=3 adds a key that exists: type lr=3",
    "~lr": "~lr deletes a knob of every trial: leave it out",
    "recipe/ft_clip=b16": "recipe/ft_clip is not a group: type recipe=ft_clip/b16",
    "sweeps=./mine.yaml": "put it into FOLDER/sweeps/, and type --config-dir FOLDER sweeps=mine",
    "sweeps=/d/sweeps/mine.yaml": "type --config-dir /d sweeps=mine",
    "lr=glob(*)": "lr=glob(*) chooses files of a config group, and lr is none",
}


@pytest.mark.parametrize("word", MISTAKES)
def test_a_mistake_is_one_sentence(word: str) -> None:
    (mistake,) = word_mistakes([parse_word(word)])
    assert MISTAKES[word] in mistake


@pytest.mark.parametrize(
    "word",
    [
        *("lr=1e-3,3e-3", "lr=interval(1,2)", "ema_decay=auto,0.99", "lr='1e-3'", "min_lr=${lr}"),
        *("hydra.launcher.x=1", "recipe=llrd,ema", "+group=x", "snapshot=off", "seeds=[0,1]"),
    ],
)
def test_legal_words_have_no_mistake(word: str) -> None:
    assert list(word_mistakes([parse_word(word)])) == []


@pytest.mark.parametrize(
    ("word", "value"),
    [("lr='1e-3'", 1e-3), ("epochs='5'", 5), ("data.root='5'", "5"), ("ema_decay='auto'", "auto")],
)
def test_a_quoted_number_is_a_number_where_one_is_needed(word: str, value: object) -> None:
    again = override_value(parse_word(word))
    assert (again, type(again)) == (value, type(value))
