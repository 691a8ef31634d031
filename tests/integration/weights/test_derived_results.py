"""Derived results: their ends are those of the trials, and the test set selects nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from clip_hparam.data.digits import load_digits
from clip_hparam.records.archive_writer import archive_trials
from clip_hparam.records.record import Record
from clip_hparam.weights.evaluator import open_evaluator
from clip_hparam.weights.recorded_sets import recorded_sets
from clip_hparam.weights.soup import held_out_images, make_soups
from clip_hparam.weights.stored import read_stored
from clip_hparam.weights.temperature import scale_temperature
from clip_hparam.weights.wise_ft import wise_ft_curve

Kept = dict[str, Record]


def recorded(record: Record, names: Any) -> dict[str, Any]:
    result = record.result()
    assert result is not None
    return {name: result["metrics"][name] for name in names}


@pytest.mark.parametrize("name", ["words", "words_lora", "words_scaled", "probe", "random"])
def test_kept_weights_give_the_numbers_of_the_trial(kept: Kept, name: str) -> None:
    stored = read_stored(kept[name])
    with open_evaluator(stored) as evaluator:
        metrics = evaluator.metrics(stored.load())
    ends = (f".{stored.weights}.{stored.when}", ".zero_shot")
    columns = (kept[name].result() or {})["metrics"]
    assert metrics == {one: columns[one] for one in columns if one.endswith(ends)}
    assert len(metrics) >= 18  # 8 and a temperature of the selection set, 8 of the test set, ...


def test_sets_of_the_trial_are_evaluated_with_what_clip_knew_before(kept: Kept) -> None:
    start, _ = wise_ft_curve(read_stored(kept["words_lora"]), (0.0, 1.0))
    assert start.facts["eval_sets"] == (kept["words_lora"].result() or {})["eval_sets"]
    assert start.metrics["eval.corrupted_5.ece.ema.selected"] is not None
    known = "eval.glyphs.acc1"
    assert start.metrics[f"{known}.ema.selected"] == start.metrics[f"{known}.zero_shot"]


def test_a_soup_has_the_sets_of_all_its_members(kept: Kept) -> None:
    members = [read_stored(kept[name]) for name in ("words", "words_lora")]
    (soup,) = make_soups(members, ["uniform"])
    assert set(soup.facts["eval_sets"]) == {"glyphs", "corrupted_5"}


def test_a_set_with_other_images_now_is_left_out_with_a_warning(
    kept: Kept, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = kept["random"].trial_id
    shutil.copytree(kept["random"].folder, tmp_path / name)
    result = tmp_path / name / "result.json"
    tree = json.loads(result.read_text())
    tree["eval_sets"]["glyphs"]["fingerprint"] = "0" * 64
    result.write_text(json.dumps(tree))
    assert recorded_sets([Record(tmp_path, name)], load_digits()) == {}
    assert "eval.glyphs is left out: the images of glyphs are not those" in caplog.text


@pytest.mark.parametrize("name", ["words", "words_lora", "words_scaled"])
def test_the_ends_of_wise_ft_are_zero_shot_and_the_trial(kept: Kept, name: str) -> None:
    start, middle, end = wise_ft_curve(read_stored(kept[name]), (0.0, 0.5, 1.0))
    column = "test_acc1.ema.selected"
    assert end.metrics == recorded(kept[name], end.metrics)
    assert "test_ece.ema.selected" in end.metrics
    assert start.metrics[column] == recorded(kept[name], ["test_acc1.zero_shot"]).popitem()[1]
    assert middle.metrics not in (start.metrics, end.metrics)
    assert [one.parameters["alpha"] for one in (start, middle, end)] == [0.0, 0.5, 1.0]


def test_the_selection_set_selects_the_alpha(kept: Kept) -> None:
    curve = wise_ft_curve(read_stored(kept["probe"]), (0.0, 0.3, 0.6, 1.0))
    (selected,) = (one for one in curve if one.facts["selected"])
    accuracies = [one.metrics["selection_acc1.raw.selected"] for one in curve]
    assert selected.metrics["selection_acc1.raw.selected"] == max(accuracies, key=float)
    assert {one.facts["start"] for one in curve} == {"linear_probe"}


@pytest.mark.parametrize("name", ["words_lora", "random"])
def test_a_soup_of_one_is_the_trial(kept: Kept, name: str) -> None:
    for soup in make_soups([read_stored(kept[name])]):
        assert soup.metrics == recorded(kept[name], soup.metrics)
        assert soup.trial_ids == [kept[name].trial_id]


def test_a_soup_does_not_depend_on_the_order_and_greedy_is_no_worse_than_its_members(
    kept: Kept,
) -> None:
    members = [read_stored(kept[name]) for name in ("words", "words_lora")]
    uniform, greedy = make_soups(members)
    assert make_soups(members[::-1]) == [uniform, greedy]
    assert uniform.trial_ids == sorted(kept[name].trial_id for name in ("words", "words_lora"))
    assert set(greedy.trial_ids) <= set(uniform.trial_ids)
    column = "selection_acc1.ema.selected"
    alone = [recorded(kept[name], [column])[column] for name in ("words", "words_lora")]
    assert greedy.metrics[column] is not None
    assert greedy.metrics[column] >= max(alone)


def test_members_of_other_seeds_are_selected_on_images_that_none_trained_on(kept: Kept) -> None:
    same = [read_stored(kept[name]) for name in ("words", "words_lora")]
    assert held_out_images(same) is None
    members = [read_stored(kept[name]) for name in ("words", "words_scaled")]
    images = held_out_images(members)
    assert images is not None
    uniform, _ = make_soups(members)
    assert 0 < uniform.facts["held_out"] == len(images) < 100
    with open_evaluator(members[0]) as one, open_evaluator(members[1]) as other:
        for batches in (one.batches, other.batches):
            assert not set(images) & set(batches._train_index)


def test_packed_trials_are_read_too(kept: Kept, tmp_path: Path) -> None:
    name, runs = kept["random"].trial_id, tmp_path / "runs"
    shutil.copytree(kept["random"].folder, runs / name)
    before = read_stored(Record(runs, name))
    expected, tensors = before.parent, before.load()
    archive_trials(runs, "0123456789ab", [name])
    packed = read_stored(Record(runs, name))
    assert not packed.path.exists()
    assert packed.parent == expected
    loaded = packed.load()
    assert all(torch.equal(loaded[key], tensors[key]) for key in tensors)


def test_temperature_keeps_the_accuracy_and_lowers_the_loss_that_it_is_fitted_to(
    kept: Kept,
) -> None:
    scaled = scale_temperature(read_stored(kept["probe"]))
    before = recorded(kept["probe"], scaled.metrics)
    changed = {
        name.split(".")[0] for name in scaled.metrics if scaled.metrics[name] != before[name]
    }
    measures = ("loss", "tempered_loss", "ece", "brier")
    possible = {f"{split}_{name}" for split in ("test", "selection") for name in measures}
    assert {"test_loss", "test_ece", "test_brier"} < changed <= {*possible, "selection_temperature"}
    loss = "selection_loss.raw.selected"
    assert scaled.metrics[loss] is not None
    assert scaled.metrics[loss] < before[loss]
    assert scaled.facts["before"]["test_loss.raw.selected"] == before["test_loss.raw.selected"]
    assert scaled.facts["temperature"] > 0
