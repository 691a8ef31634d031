"""Predicted cost comes from measured trials and scales with images and resolution."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.trial_factory import Runs

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.text.duration import format_duration, parse_duration
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.estimates.cost import CostEstimate, TrialCost, load_costs, predict
from clip_hparam.planning.estimates.cost_key import CostKey
from clip_hparam.planning.estimates.throughput import Device, operations
from clip_hparam.planning.resolve import resolve

RECIPE = resolve(with_values(Recipe(), {"data.selection": 10, "data.epoch_images": 500}))
SPEC = TrialSpec(RECIPE)
KEY = CostKey("EPYC", ranks=1, precision="fp32", kernels="fused", compile=False)
KNOWN = TrialCost("tiny", "digits", KEY, 32 * 32, train_seconds_per_image=0.001, other_seconds=2.0)


def predicted(spec: TrialSpec, *known: TrialCost) -> CostEstimate:
    estimate = predict(spec, known)
    assert estimate is not None
    return estimate


def test_training_scales_with_images_and_pixels() -> None:
    seconds = predicted(SPEC, KNOWN).seconds
    assert seconds == pytest.approx(20 * 500 * 0.001 + 2)
    longer = TrialSpec(with_values(RECIPE, {"epochs": 40}))
    assert predicted(longer, KNOWN).seconds == pytest.approx(40 * 500 * 0.001 + 2)
    larger = TrialSpec(with_values(RECIPE, {"resolution": 64}))
    assert predicted(larger, KNOWN).seconds == pytest.approx(4 * seconds)


def test_trials_of_the_same_resolution_are_preferred() -> None:
    other = replace(KNOWN, image_area=64 * 64, train_seconds_per_image=1.0)
    assert predicted(SPEC, other, KNOWN, other) == predicted(SPEC, KNOWN)


def test_no_similar_trial_gives_no_prediction() -> None:
    assert predict(SPEC, [replace(KNOWN, encoder="ViT-B-16")]) is None
    assert predict(SPEC, [replace(KNOWN, data="imagenet")]) is None


@pytest.mark.parametrize(
    "other",
    [
        {"ranks": 8},
        {"precision": "bf16"},
        {"kernels": "reference"},
        {"compile": True},
        {"device_name": "Xeon"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_records_of_another_key_give_no_prediction(other: dict[str, Any]) -> None:
    elsewhere = replace(KNOWN, key=KEY._replace(**other))
    assert predict(SPEC, [KNOWN], device_name="EPYC") is not None
    assert predict(SPEC, [elsewhere], device_name="EPYC") is None
    slow = replace(elsewhere, train_seconds_per_image=1.0)
    assert predict(SPEC, [KNOWN, slow, slow], device_name="EPYC") == predicted(SPEC, KNOWN)


def test_settings_of_the_machine_choose_the_key() -> None:
    machine = Machine(kernels="reference", compile="on")
    spec = replace(SPEC, machine=machine, gpus_per_trial=2)
    key = KEY._replace(kernels="reference", compile=True, ranks=2)
    assert predict(spec, [KNOWN]) is None
    assert predicted(spec, replace(KNOWN, key=key)).key == key


def test_an_unknown_device_is_predicted_from_one_device_only() -> None:
    xeon = replace(KNOWN, key=KEY._replace(device_name="Xeon"), train_seconds_per_image=1.0)
    estimate = predicted(SPEC, xeon, KNOWN, KNOWN)
    assert estimate == predicted(SPEC, KNOWN)
    assert estimate.key == KEY


def test_costs_are_read_with_their_key(tmp_path: Path) -> None:
    numerics = {**KEY._asdict(), "device": "cpu", "threads": 1, "attention": "sdpa"}
    cost = {"seconds": 4.0, "train_seconds": 3.0}
    runs = Runs(tmp_path)
    runs.done({"precision": "bf16"}, 0, 90.0, cost=cost, numerics=numerics)
    runs.done({}, 1, 90.0, cost=cost, numerics={"device": "cpu", "threads": 1})
    runs.done({}, 2, 90.0, cost=cost, numerics={**numerics, "changes": 1})
    keys = {known.key for known in load_costs(tmp_path)}
    before_numerics = CostKey("", ranks=1, precision="fp32", kernels="reference", compile=False)
    assert keys == {KEY._replace(precision="bf16"), before_numerics}


def test_source_states_whether_a_trial_or_a_few_steps_were_measured() -> None:
    probe = replace(KNOWN, is_probe=True)
    assert predicted(SPEC, KNOWN).source == "records"
    assert predicted(SPEC, probe).source == "probe"
    assert predicted(SPEC, probe, KNOWN).source == "records"


def test_a_device_predicts_where_no_trial_is_known() -> None:
    device = Device(peak_tflops=1.0, reached=0.5, source="this test")
    estimate = predict(SPEC, [], device)
    assert estimate is not None
    assert estimate.source == "arithmetic"
    assert estimate.seconds == pytest.approx(operations(as_resolved(RECIPE)) / 0.5e12)
    assert estimate.gpu_hours == pytest.approx(estimate.seconds / 3600)
    assert predict(SPEC, [KNOWN], device) == predicted(SPEC, KNOWN)


def test_gpus_of_a_trial_share_its_work() -> None:
    device = Device(peak_tflops=1.0, reached=0.5, source="this test")
    one = predict(SPEC, [], device)
    five = predict(replace(SPEC, gpus_per_trial=5), [], device)
    assert one is not None
    assert five is not None
    assert five.seconds == pytest.approx(one.seconds / 5)
    assert five.gpu_hours == pytest.approx(one.gpu_hours)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5m", 90), ("2h", 7200)])
def test_parse_duration_reads_seconds_minutes_and_hours(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "8", "-1h", "0s", "8 hours", "infh"])
def test_parse_duration_refuses_other_text(text: str) -> None:
    with pytest.raises(ValueError, match="try budget=90s"):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(59, "59 s"), (150, "2.5 min"), (9000, "2.5 h")])
def test_format_duration_picks_the_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
