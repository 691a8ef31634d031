"""A trial with an EMA reads each evaluated image once for both weights, or for the EMA alone."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.metrics_rows import TIMES

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
    # at the end the selection set is read again: a temperature is fitted to its predictions
    assert read == {"selection": EPOCHS + at_end, "test": during + at_end}
    for weights in ("raw", "ema"):
        assert result["metrics"][f"test_acc1.{weights}.selected"] is not None
    assert "selection_acc1.raw" in record.rows()[0]


def test_raw_weights_can_be_evaluated_at_the_end_alone(tmp_path: Path) -> None:
    rows, results = {}, {}
    for eval_raw in ("epoch", "end"):
        recipe = resolve(with_values(Recipe(), KNOBS))
        machine = Machine(runs=str(tmp_path / eval_raw), device="cpu")
        spec = TrialSpec(recipe, machine, eval_test="epoch", eval_raw=eval_raw)
        assert run_trial(spec).state == "done"
        record = Record(spec.machine.runs, spec.trial_id)
        rows[eval_raw], results[eval_raw] = record.rows(), record.result()
    for epoch, (every, end) in enumerate(zip(rows["epoch"], rows["end"], strict=True)):
        assert list(every) == list(end)
        for name, value in every.items():
            left_out = name.endswith(".raw") and epoch < EPOCHS - 1
            assert name in TIMES or end[name] == (None if left_out else value)
    every, end = (results[name]["metrics"] for name in ("epoch", "end"))
    assert every.keys() == end.keys()
    unknown = {name for name, value in end.items() if value is None}
    assert unknown == {name for name in every if name.endswith(".raw.best")} | (
        {name for name in every if name.startswith("selection") and name.endswith(".raw.selected")}
        if results["end"]["epochs"]["selected"] < EPOCHS - 1
        else set()
    )
    assert all(end[name] == value for name, value in every.items() if name not in unknown)


def test_raw_weights_of_a_trial_without_ema_are_evaluated_each_epoch(tmp_path: Path) -> None:
    recipe = resolve(with_values(Recipe(), {**KNOBS, "ema_decay": 0.0}))
    spec = TrialSpec(recipe, Machine(runs=str(tmp_path), device="cpu"), eval_raw="end")
    assert run_trial(spec).state == "done"
    rows = Record(str(tmp_path), spec.trial_id).rows()
    assert all(row["selection_acc1.raw"] is not None for row in rows)


def test_specification_of_an_older_version_is_read() -> None:
    spec = TrialSpec(resolve(Recipe()))
    tree = spec.to_dict()
    del tree["eval_raw"], tree["machine"]["kernels"]
    assert TrialSpec.from_dict(tree) == spec
