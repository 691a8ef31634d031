"""Files are read by their content and without executing code; other content is ignored."""

import argparse
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.weight_files import averaged, image_tower, prefixed, whole_clip, write
from torch import nn

from clip_hparam.model.weights_reader import read_state_dict

BESIDE = {
    "options": argparse.Namespace(lr=1e-3, data="/data"),
    "float": np.float64(97.5),
    "float32": np.float32(1.5),
    "int": np.int64(3),
    "bool": np.bool_(True),
    "list": [1, "a", None, {"b": 2.0}],
}


@pytest.mark.parametrize("name", BESIDE)
def test_numbers_and_options_in_a_file_of_tensors_are_read(name: str, tmp_path: Path) -> None:
    write(tmp_path / "file.pt", {"state_dict": image_tower(), "beside": BESIDE[name]})
    state = read_state_dict(tmp_path / "file.pt")
    assert state.keys() == {f"state_dict.{key}" for key in image_tower()}


@pytest.mark.parametrize(
    ("value", "type_name"),
    [(nn.Linear(2, 2), "Linear"), (Path("x"), "PosixPath"), (np.zeros(3), "_reconstruct")],
)
def test_other_objects_are_refused_with_their_type(
    value: Any, type_name: str, tmp_path: Path
) -> None:
    write(tmp_path / "file.pt", {"state_dict": image_tower(), "beside": value})
    with pytest.raises(ValueError, match=f"code or objects .*{type_name}.*nothing of it") as error:
        read_state_dict(tmp_path / "file.pt")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("nest", [lambda tree: tree, lambda tree: [{"a": tree}, tree]])
def test_dict_in_itself_is_read_once(nest: Callable[[Any], Any], tmp_path: Path) -> None:
    tree: dict[str, Any] = dict(image_tower())
    tree["again"] = nest(tree)
    write(tmp_path / "file.pt", tree)
    assert read_state_dict(tmp_path / "file.pt").keys() == image_tower().keys()


def test_tensors_in_lists_are_read_by_their_place(tmp_path: Path) -> None:
    tree = {"models": [image_tower(), (averaged(image_tower()),)], "sizes": [1, 2]}
    write(tmp_path / "file.pt", tree)
    roots = {name.partition("class_embedding")[0] for name in read_state_dict(tmp_path / "file.pt")}
    assert {"models.0.", "models.1.0."} <= roots


@pytest.mark.parametrize("name", ["file.pt", "FILE.SAFETENSORS", "file", "file.safetensors"])
@pytest.mark.parametrize("writer", [save_file, torch.save])
def test_content_of_a_file_tells_its_format(
    writer: Callable[[Any, Path], None], name: str, tmp_path: Path
) -> None:
    writer(image_tower(), tmp_path / name)
    assert read_state_dict(tmp_path / name).keys() == image_tower().keys()


CONTENTS = {
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    "gzip": (gzip.compress(bytes(100)), "unpack it with gunzip"),
    "page": (b"<!DOCTYPE html><title>404</title>", "is a web page"),
    "text": (b"not found", "fetch it again"),
    "empty": (b"", "fetch it again"),
    "zeros": (bytes(1000), "fetch it again"),
}


@pytest.mark.parametrize("name", ["file.pt", "file.safetensors"])
@pytest.mark.parametrize("content", CONTENTS)
def test_other_content_is_refused_with_what_to_do(content: str, name: str, tmp_path: Path) -> None:
    given, sentence = CONTENTS[content]
    (tmp_path / name).write_bytes(given)
    with pytest.raises(ValueError, match=f"^{name} .*{sentence}") as error:
        read_state_dict(tmp_path / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
@pytest.mark.parametrize("writer", [save_file, torch.save])
def test_truncated_file_is_refused(
    writer: Callable[[Any, Path], None], share: float, tmp_path: Path
) -> None:
    path = tmp_path / "file.pt"
    writer(image_tower(), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"does not read as weights .*fetch it again"):
        read_state_dict(path)


def test_two_tensors_of_one_name_are_refused_unless_equal(tmp_path: Path) -> None:
    same = {**image_tower(), **prefixed(image_tower(), "module.")}
    write(tmp_path / "same.pt", same)
    assert read_state_dict(tmp_path / "same.pt").keys() == image_tower().keys()
    write(tmp_path / "other.pt", {**whole_clip(), **prefixed(averaged(whole_clip()), "module.")})
    with pytest.raises(ValueError, match="holds two different tensors"):
        read_state_dict(tmp_path / "other.pt")
