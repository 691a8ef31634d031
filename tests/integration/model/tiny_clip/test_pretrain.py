"""Training of the tiny CLIP: a function of its seed, published as weights that load."""

import sys
from pathlib import Path

import open_clip
import pytest
import torch

from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.tiny_clip import pairs, pretrain
from clip_hparam.model.tiny_clip.pairs import render_pairs

pytestmark = pytest.mark.usefixtures("one_thread")


def test_pretraining_is_a_function_of_the_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "BATCH_SIZE", 64)

    def weights(seed: int, folder: str) -> str:
        return pretrain.publish_weights(
            pretrain.train(render_pairs(seed, 124), 3, seed), tmp_path / folder
        )

    assert (
        weights(0, "first")
        == weights(0, "again")
        == tiny_clip.recorded_sha256(tmp_path / "first" / tiny_clip.WEIGHTS_FILE.name)
    )
    assert weights(1, "other") != weights(0, "again")


def test_command_publishes_the_weights_that_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pairs, "BATCH_SIZE", 62)
    for size in ("TRAIN_GLYPHS", "HELD_OUT_GLYPHS"):
        monkeypatch.setattr(pretrain, size, 62)
    monkeypatch.setattr(sys, "argv", ["pretrain", "--out", str(tmp_path / "new"), "--steps", "1"])
    pretrain.main()
    weights = tmp_path / "new" / tiny_clip.WEIGHTS_FILE.name
    printed = capsys.readouterr().out
    assert printed.endswith(f"sha256 {tiny_clip.recorded_sha256(weights)}  {weights}\n")
    assert printed.count("zero-shot") == 2
    tiny_clip.load_model(weights)


def test_published_weights_load(tmp_path: Path) -> None:
    model = open_clip.CLIP(**tiny_clip.model_config())
    pretrain.publish_weights(model, tmp_path)
    loaded = tiny_clip.load_model(tmp_path / tiny_clip.WEIGHTS_FILE.name).state_dict()
    assert all(torch.equal(tensor, loaded[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("option", "value"), [("--steps", "0"), ("--seed", "-1"), ("--out", "a file/below")]
)
def test_wrong_command_line_is_refused_before_training(
    option: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pretrain", "--out", ".", option, value])
    with pytest.raises(SystemExit) as stop:
        pretrain.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
