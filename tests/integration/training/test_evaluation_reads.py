"""A trial with an EMA decodes each evaluated image once for both weights."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.training.trial import run_trial

EPOCHS = 3
KNOBS = {"epochs": EPOCHS, "data.epoch_images": 100, "data.selection": 2.0, "ema_decay": 0.5}


@pytest.mark.parametrize("eval_test", ["selected", "epoch"])
def test_evaluation_sets_are_read_once_for_raw_and_ema(
    eval_test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[str] = Counter()
    original = Batches.evaluation

    def counted(self: Batches, name: str, resolution: int = 0) -> Iterator[Any]:
        read[name] += 1
        return original(self, name, resolution)

    monkeypatch.setattr(Batches, "evaluation", counted)
    recipe = resolve(with_values(Recipe(), {**KNOBS, "encoder.pretrained": "random"}))
    machine = Machine(runs=str(tmp_path), device="cpu")
    spec = TrialSpec(recipe, machine, eval_test=eval_test)
    assert run_trial(spec).state == "done"
    record = Record(str(tmp_path), spec.trial_id)
    result = record.result()
    assert result is not None
    at_end = 1 if result["epochs"]["selected"] == EPOCHS - 1 else 2
    during = EPOCHS if eval_test == "epoch" else 0
    assert read == {"selection": EPOCHS, "test": during + at_end}
    for weights in ("raw", "ema"):
        assert result["metrics"][f"test_acc1.{weights}.selected"] is not None
    assert "selection_acc1.raw" in record.rows()[0]
