"""The safetensors library reads the file, and a cancelled write leaves the old one."""

from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from clip_hparam.training.checkpoints.snapshot import Snapshot
from clip_hparam.training.checkpoints.state_file import (
    CancelledError,
    Part,
    read_facts,
    write_parts,
)

PARTS = [
    Part(torch.arange(10.0), {"raw.a": (2, 3), "raw.b": (4,)}),
    Part(torch.arange(3, dtype=torch.float64), {"ema.a": (3, 1)}),
    Part(torch.zeros(0), {"none": (0,)}),
]
FACTS = {"rows": [{"lr": 1e-3, "loss": None, "acc": 0.1 + 0.2}], "name": "Ω"}


def write(path: Path, cancelled: bool = False) -> str:
    return write_parts(
        path, PARTS, FACTS, Snapshot([part.flat for part in PARTS]), lambda: cancelled
    )


def test_library_reads_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    assert write(path) == sha256(path.read_bytes()).hexdigest()
    assert read_facts(path) == FACTS
    tensors = load_file(path)
    assert tensors.keys() == {"raw.a", "raw.b", "ema.a", "none"}
    assert torch.equal(tensors["raw.a"], torch.arange(6.0).view(2, 3))
    assert torch.equal(tensors["raw.b"], torch.arange(6.0, 10.0))
    assert torch.equal(tensors["ema.a"], torch.arange(3, dtype=torch.float64)[:, None])


def test_cancelled_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    write(path)
    before = path.read_bytes()
    with pytest.raises(CancelledError):
        write(path, cancelled=True)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before
