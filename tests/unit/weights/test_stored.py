"""A damaged file of a trial is refused in one sentence; nothing in it is executed."""

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from clip_hparam.records.record import Record
from clip_hparam.weights.models.trained_model import recorded_classes
from clip_hparam.weights.stored import read_weights


class Bomb:
    """Object whose unpickling creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def saved_by_torch(value: object) -> bytes:
    content = io.BytesIO()
    torch.save(value, content)
    return content.getvalue()


CONTENTS: dict[str, Callable[[Bomb], bytes]] = {
    "empty": lambda bomb: b"",
    "cut short": lambda bomb: save({"head.weight": torch.zeros(3, 4)})[:-5],
    "pickle": lambda bomb: pickle.dumps(bomb),
    "archive of torch": lambda bomb: saved_by_torch({"head.weight": bomb}),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_message_about_damaged_weights_states_the_remedy(kind: str, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    record = Record(tmp_path / "my runs", "0123456789ab")
    remedy = (
        r"my runs/0123456789ab/best\.safetensors is damaged .*: delete it, and run the trial again"
        r" with keep_checkpoints=best replay=true \(clip-hparam why 0123456789ab --runs '.*my runs'"
    )
    with pytest.raises(ValueError, match=remedy) as error:
        read_weights(record, "best.safetensors", CONTENTS[kind](Bomb(mark)))
    assert "\n" not in str(error.value)
    assert not mark.exists()


def test_whole_weights_are_read(tmp_path: Path) -> None:
    weight = torch.rand(3, 4)
    content = save({"head.weight": weight})
    read = read_weights(Record(tmp_path, "0123456789ab"), "last.safetensors", content)
    assert torch.equal(read["head.weight"], weight)


@pytest.mark.parametrize("kind", ["objects", "no archive", "empty"])
def test_class_names_in_a_pickle_are_refused(kind: str, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    record = Record(tmp_path, "0123456789ab")
    record.folder.mkdir()
    content = io.BytesIO()
    if kind == "objects":
        np.savez(content, classes=np.array([Bomb(mark)], dtype=object))
    elif kind == "no archive":
        content.write(pickle.dumps(Bomb(mark)))
    (record.folder / "correct.npz").write_bytes(content.getvalue())
    with pytest.raises(ValueError, match=r"0123456789ab/correct\.npz is damaged"):
        recorded_classes(record)
    assert not mark.exists()
