"""A resumed trial shows at once how many epochs are done: those of its saved state."""

from pathlib import Path

import pytest
from support.cli import records, sweep
from support.metrics_rows import saved_epochs

from clip_hparam.sweep.progress import read_progress
from clip_hparam.training import trainer
from clip_hparam.training.epoch import TrialRun

TRIAL = ("epochs=4", "batch_size=25", "data.epoch_images=50")


class Killed(BaseException):
    """Stands for SIGKILL: nothing is saved after it."""


def run_until_epoch(epoch: int, folder: Path, patch: pytest.MonkeyPatch, *words: str) -> list[int]:
    """Run the trial, end it as it begins an epoch, and return the epochs that were shown then."""
    shown: list[int] = []
    original = trainer.run_epoch

    def run_epoch(run: TrialRun, number: int) -> None:
        shown.append(read_progress(run.spec, "").epoch)
        if number == epoch:
            raise Killed
        original(run, number)

    with patch.context() as inner:
        inner.setattr(trainer, "run_epoch", run_epoch)
        with pytest.raises(Killed):
            sweep(*TRIAL, *words, cwd=folder)
    return shown


@pytest.mark.parametrize(
    ("words", "is_saved"),
    [(("machine.checkpoint_seconds=0",), True), ((), False)],
    ids=["saved", "lost"],
)
def test_epochs_of_a_resumed_trial_are_those_of_its_state(
    words: tuple[str, ...], is_saved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_until_epoch(2, tmp_path, monkeypatch, *words) == [0, 1, 2]
    (record,) = records(tmp_path)
    saved = saved_epochs(record)
    assert (saved > 0) == is_saved
    assert run_until_epoch(3, tmp_path, monkeypatch, *words) == list(range(saved, 4))


def test_epochs_are_shown_where_the_rows_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving = "machine.checkpoint_seconds=0"
    run_until_epoch(2, tmp_path, monkeypatch, saving)
    (record,) = records(tmp_path)
    (record.folder / "metrics.jsonl").unlink()
    saved = saved_epochs(record)
    assert saved > 0
    assert run_until_epoch(3, tmp_path, monkeypatch, saving) == list(range(saved, 4))
