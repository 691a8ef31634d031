"""An accuracy of 100 % is read as 100, whatever was rounded when it was written."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.trial_factory import Ladder, Runs, numbers

from clip_hparam.analysis.evidence.compare import compare_cells
from clip_hparam.analysis.frames.frame import load
from clip_hparam.analysis.frames.schema import schema_violations
from clip_hparam.analysis.report.report import report_page
from clip_hparam.analysis.tables.registry import tables_of
from clip_hparam.records.metrics import accuracy_percent, as_percentage
from clip_hparam.training.evaluation import evaluate


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_accuracy_lies_between_0_and_100(counts: tuple[int, int]) -> None:
    correct, total = counts
    accuracy = accuracy_percent(correct, total)
    assert 0 <= accuracy <= 100
    assert (accuracy == 100) == (correct == total)
    assert accuracy == pytest.approx(100 * correct / total, rel=1e-15)


def test_all_correct_is_exactly_100() -> None:
    assert {accuracy_percent(total, total) for total in range(1, 1001)} == {100.0}


def test_old_record_with_a_rounding_error_is_read(ladder: Ladder) -> None:
    record = next(iter(ladder.runs.folder.glob("*/result.json")))
    result = json.loads(record.read_text())
    result["metrics"]["test_acc5.ema.selected"] = 100.00000000000001
    record.write_text(json.dumps(result))
    frames = load(ladder.runs.folder)
    assert frames.problems == []
    trials = frames.trials.set_index("trial_id")
    assert trials.loc[record.parent.name, "test_acc5.ema.selected"] == 100.0


def test_impossible_accuracy_is_still_refused(ladder: Ladder) -> None:
    record = next(iter(ladder.runs.folder.glob("*/result.json")))
    result = json.loads(record.read_text())
    result["metrics"]["test_acc5.ema.selected"] = 100.1
    record.write_text(json.dumps(result))
    (problem,) = load(ladder.runs.folder).problems
    assert "test_acc5.ema.selected=100.1 is not a percentage" in problem


@settings(deadline=None, max_examples=60)
@given(
    classes=st.integers(1, 1000),
    images=st.integers(1, 300),
    ranks=st.integers(1, 3),
    restricted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_evaluation_writes_accuracies_that_readers_keep(
    classes: int, images: int, ranks: int, restricted: bool, seed: int
) -> None:
    """The shards differ in size, and classes may be few or restricted, as those of data.shift."""
    generator = torch.Generator().manual_seed(seed)
    allowed = torch.rand(classes, generator=generator) < (0.3 if restricted else 1)
    allowed[0] = True
    kept = torch.nonzero(allowed)[:, 0]
    labels = kept[torch.randint(len(kept), (images,), generator=generator)]
    logits = torch.randn(images, classes, generator=generator)
    shards = [range(rank, images, ranks) for rank in range(ranks) if rank < images]
    batches = [(logits[list(rows)], labels[list(rows)]) for rows in shards]
    context = SimpleNamespace(all_gather=lambda parts: parts)
    state = SimpleNamespace(device="cpu", autocast=nullcontext, context=context)
    result = evaluate(torch.nn.Identity(), batches, cast(Any, state), allowed)
    for accuracy in (result.acc1, result.acc5):
        assert as_percentage(accuracy) == accuracy
    assert result.acc1 == accuracy_percent(int(result.top1_correct.sum()), images)
    assert result.acc5 == 100 or len(kept) > 5


def test_epochs_of_an_old_record_with_a_rounding_error_satisfy_the_schema(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    record = runs.planned({})
    epoch = {"epoch": 0, "step": 1, "lr": 0.1}
    record.write_rows([{**epoch, "selection_acc1.raw": 100.00000000000001}])
    assert schema_violations(runs.frames()) == []


def test_records_with_hundreds_of_columns_print_no_performance_warning(tmp_path: Path) -> None:
    """pandas warns where a column is added to a frame of over 100 blocks; pytest raises it."""
    runs = Runs(tmp_path)
    names = [f"test_set{n}_acc1.{w}.selected" for n in range(120) for w in ("raw", "ema")]
    cells = {"a": {"lr": 1e-3, "ema_decay": 0.9}, "b": {"lr": 1e-2, "ema_decay": 0.9}}
    texts = {"versions": {f"library{number}": "1.0" for number in range(120)}}
    for seed in range(2):
        for values, acc1 in zip(cells.values(), (90.0, 91.0 + seed), strict=True):
            metrics = {**numbers(acc1, ema=True), **dict.fromkeys(names, 50.0)}
            runs.done(values, seed, acc1, metrics=metrics, **texts)
    runs.sweep("mine", cells, seeds=[0, 1])
    frames = runs.frames()
    assert frames.trials.shape[1] > 400
    assert list(tables_of(frames, "mine")[0].data["test_acc1"]) == [90.0, 91.5]
    assert compare_cells(frames, "a", "b").difference.mean == pytest.approx(1.5)
    assert report_page(frames).data["trials"]["n"] == 4
