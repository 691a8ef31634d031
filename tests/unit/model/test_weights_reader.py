"""Files are read without executing code; options and numbers beside the tensors do no harm."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
def test_numbers_and_options_beside_the_tensors_are_read(name: str, tmp_path: Path) -> None:
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


def test_dict_in_itself_is_read_to_a_depth(tmp_path: Path) -> None:
    tree: dict[str, Any] = dict(image_tower())
    tree["again"] = tree
    write(tmp_path / "file.pt", tree)
    assert set(image_tower()) <= read_state_dict(tmp_path / "file.pt").keys()


def test_two_tensors_of_one_name_are_refused_unless_equal(tmp_path: Path) -> None:
    same = {**image_tower(), **prefixed(image_tower(), "module.")}
    write(tmp_path / "same.pt", same)
    assert read_state_dict(tmp_path / "same.pt").keys() == image_tower().keys()
    write(tmp_path / "other.pt", {**whole_clip(), **prefixed(averaged(whole_clip()), "module.")})
    with pytest.raises(ValueError, match="holds two different tensors"):
        read_state_dict(tmp_path / "other.pt")
