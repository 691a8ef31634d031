"""The image tower of a file is found at any nesting; a key or the default rule selects one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.weight_files import State, averaged, image_tower, prefixed, whole_clip, write

from clip_hparam.model.weights_reader import WRAPPERS
from clip_hparam.model.weights_selection import TowerTensors, read_tower, select_tower

FILE = Path("file.pt")
WRAPPED: dict[str, tuple[Callable[[], Any], str]] = {
    "plain": (whole_clip, "visual"),
    "tower": (image_tower, ""),
    "compiled": (lambda: {"state_dict": prefixed(whole_clip(), "_orig_mod.")}, "state_dict.visual"),
    "DDP": (lambda: prefixed(whole_clip(), "module._orig_mod."), "visual"),
    "compiled tower": (lambda: prefixed(image_tower(), "visual._orig_mod."), "visual"),
    "Lightning": (
        lambda: {"state_dict": prefixed(whole_clip(), "model."), "epoch": 3},
        "state_dict.model.visual",
    ),
    "DeepSpeed": (lambda: {"module": whole_clip(), "optimizer": {}}, "visual"),
    "averaged": (
        lambda: {**prefixed(whole_clip(), "module."), "n_averaged": torch.tensor(3)},
        "visual",
    ),
    "EMA alone": (lambda: {"model_ema": image_tower()}, "model_ema"),
}


def holds_tower(found: TowerTensors, tower: State) -> bool:
    return found.visual.keys() == tower.keys() and all(
        torch.equal(found.visual[name], tensor) for name, tensor in tower.items()
    )


@pytest.mark.parametrize("kind", WRAPPED)
def test_tower_is_found_below_each_prefix(kind: str, tmp_path: Path) -> None:
    tree, root = WRAPPED[kind]
    write(tmp_path / "file.pt", tree())
    found = read_tower(tmp_path / "file.pt")
    assert (found.root, found.is_default, found.others) == (root, True, ())
    assert holds_tower(found, image_tower())


words = st.sampled_from(["model", "visual", "net", "encoder", "student", *sorted(WRAPPERS)])


@settings(deadline=None)
@given(st.lists(words, max_size=5))
def test_any_nesting_gives_the_tower(parts: list[str]) -> None:
    prefix = "".join(f"{part}." for part in parts if part not in WRAPPERS)
    found = select_tower(prefixed(image_tower(), prefix), FILE)
    assert holds_tower(found, image_tower())
    assert found.identity("00") == "00"


PAIRS = [("model", "model_ema"), ("state_dict", "state_dict_ema"), ("net", "ema.net")]


@pytest.mark.parametrize(("raw", "ema"), PAIRS)
def test_raw_weights_are_the_default_and_a_key_takes_the_average(raw: str, ema: str) -> None:
    average = averaged(image_tower())
    state = {**prefixed(average, f"{ema}.visual."), **prefixed(image_tower(), f"{raw}.visual.")}
    default, chosen = select_tower(state, FILE), select_tower(state, FILE, ema)
    assert holds_tower(default, image_tower())
    assert holds_tower(chosen, average)
    assert (default.key, default.others) == (raw, (ema,))
    assert default.identity("00") == "00" == select_tower(state, FILE, raw).identity("00")
    assert chosen.identity("00") != "00"


def test_checkpoint_of_a_trial_gives_the_current_raw_weights() -> None:
    roots = ["models.raw", "models.ema", "progress.weights.raw", "progress.weights.ema"]
    state = {k: v for root in roots for k, v in prefixed(image_tower(), f"{root}.").items()}
    assert select_tower(state, FILE).root == "models.raw"
    assert select_tower(state, FILE, "progress.weights.ema").root == "progress.weights.ema"


def test_text_tower_of_the_same_model_is_returned() -> None:
    state = {**prefixed(whole_clip(), "model."), **prefixed(whole_clip(), "model_ema.")}
    found = select_tower(state, FILE, "model_ema")
    assert found.beside.keys() == {k for k in whole_clip() if not k.startswith("visual.")}


def test_tensors_of_no_tower_are_elsewhere() -> None:
    moments = {"optimizer.state.0.exp_avg": torch.zeros(1), "ema.shadow_params.0": torch.zeros(1)}
    state = {**prefixed(whole_clip(), "model."), **prefixed(image_tower(), "teacher."), **moments}
    assert select_tower(state, FILE).elsewhere == tuple(moments)
    assert select_tower(whole_clip() | moments, FILE).elsewhere == ()
    assert moments.keys() <= select_tower(whole_clip() | moments, FILE).beside.keys()


def test_advice_is_a_word_of_a_shell() -> None:
    state = {**prefixed(image_tower(), "student."), **prefixed(image_tower(), "teacher.")}
    word = "'encoder.pretrained=\"my run/a,b.pt:student\"' or :teacher"
    with pytest.raises(ValueError, match=f"try {word}$"):
        select_tower(state, Path("my run/a,b.pt"))


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("ema", "has no weights under ema: try encoder.pretrained=file.pt:student or :teacher"),
        ("", "holds several sets of weights: try encoder.pretrained=file.pt:student or :teacher"),
        ("stud", "has no weights under stud"),
    ],
)
def test_key_without_weights_lists_the_keys(key: str, sentence: str) -> None:
    state = {**prefixed(image_tower(), "student."), **prefixed(image_tower(), "teacher.")}
    with pytest.raises(ValueError, match=sentence):
        select_tower(state, FILE, key)
