"""support.cli runs commands in the test process: results of a process, and no trace of the call."""

import os
import signal
import sys
from pathlib import Path

import pytest
from support.cli import clip_hparam, results, sweep, sweep_process
from support.image_folders import grow

WORDS = (
    *("-m", "data=folder", "data.root=images", "data.shots=3", "data.selection=2"),
    *("epochs=1", "data.epoch_images=4", "batch_size=2", "lr=1e-3"),
)


def state() -> tuple[object, ...]:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    return dict(os.environ), Path.cwd(), list(sys.argv), handlers


def test_trials_read_the_images_of_their_own_folder(tmp_path: Path) -> None:
    """The forkserver is shared: data.root=images means another folder in each working directory."""
    for name, images in (("first", 12), ("second", 14)):
        grow(tmp_path / name / "images", {"cat": images, "dog": images})
    before = state()
    for name in ("first", "second"):
        done = sweep(*WORDS, cwd=tmp_path / name)
        assert done.code == 0, done.err
    assert state() == before
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "images").symlink_to(tmp_path / "second" / "images")
    assert sweep_process(*WORDS, cwd=alone).code == 0
    assert results(tmp_path / "second") == results(alone)
    assert results(tmp_path / "first") != results(alone)


@pytest.mark.parametrize(
    ("words", "code"), [(("status",), 0), (("stauts",), 2), (("why", "zzz"), 2)]
)
def test_exit_code_and_output_are_those_of_the_command(
    words: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    before = state()
    done = clip_hparam(*words, cwd=tmp_path)
    assert done.code == code
    assert bool(done.out) == (code == 0)
    assert bool(done.err) == (code != 0)
    assert state() == before
