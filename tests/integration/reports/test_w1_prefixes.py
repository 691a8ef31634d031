"""Weights with prefixes of training wrappers give the same trial as without them."""

import json
from pathlib import Path

from support.cli import SHORT, records, results, sweep
from support.weight_files import prefixed, whole_clip, write


def test_wrapped_weights_give_the_number_of_the_weights(tmp_path: Path) -> None:
    state = {
        name.replace("resblocks.1.", "resblocks.1._orig_mod."): tensor
        for name, tensor in prefixed(whole_clip(), "model.module._orig_mod.").items()
    }
    assert sweep(*SHORT, cwd=tmp_path).code == 0
    done = sweep(*SHORT, write(tmp_path / "file.pt", {"state_dict": state}), cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(records(tmp_path)) == 2
    bundled, wrapped = (json.loads(metrics) for metrics in results(tmp_path).values())
    assert bundled == wrapped


def test_file_without_a_tower_is_refused_in_one_sentence(tmp_path: Path) -> None:
    state = {"vision_model.embeddings.class_embedding": whole_clip()["visual.class_embedding"]}
    done = sweep(write(tmp_path / "file.pt", state), cwd=tmp_path)
    assert done.code == 2
    assert "does not hold the image tower" in done.err
    assert "Hugging Face transformers" in done.err
    assert done.err.count("\n") == 1
