"""Names of other tools are answered with the knob's name."""

from dataclasses import fields

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.recipe import knobs
from clip_hparam.config.text.synonyms import SEVERAL, SYNONYMS, suggest_key

KEYS = [
    *knobs(),
    *(f"machine.{field.name}" for field in fields(Machine)),
    *(field.name for field in fields(SweepOptions)),
]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("learning_rate", "lr"),
        ("learning-rate", "lr"),
        ("LearningRate", "lr"),
        ("LR", "lr"),
        ("wd", "weight_decay"),
        ("weightdecay", "weight_decay"),
        ("bs", "batch_size"),
        ("batchsize", "batch_size"),
        ("llrd", "layer_decay"),
        ("dropout", "drop_path"),
        ("droppath", "drop_path"),
        ("ls", "label_smoothing"),
        ("smoothing", "label_smoothing"),
        ("num_epochs", "epochs"),
        ("img_size", "resolution"),
        ("ema", "ema_decay"),
        ("model", "encoder.name"),
        ("shots", "data.shots"),
        ("optimizer.lr", "lr"),
        ("data.batch_size", "batch_size"),
        ("data.learning_rate", "lr"),
        ("device", "machine.device"),
        ("machine.device_name", "machine.device"),
        ("encoder.model", "encoder.name"),
        ("lrate", "lr"),
        ("recpe", "recipe"),
        ("dat", "data"),
        ("sweep", "sweeps"),
        ("machine.devices", "machine.device"),
    ],
)
def test_another_name_is_answered_with_the_key(name: str, key: str) -> None:
    assert suggest_key(name, KEYS).startswith(f"did you mean {key}")


def test_an_ambiguous_name_is_answered_with_all_keys_that_it_may_mean() -> None:
    assert suggest_key("decay", KEYS) == "did you mean weight_decay or layer_decay or ema_decay?"


@pytest.mark.parametrize("name", ["loss", "loss_fn", "criterion", "flyp"])
def test_a_loss_is_answered_with_what_there_is(name: str) -> None:
    assert suggest_key(name, KEYS).startswith("the loss is cross-entropy, which label_smoothing")


def test_a_name_without_likeness_is_answered_in_short() -> None:
    assert suggest_key("qqqq", KEYS) == "--help lists the knobs"


def test_the_tables_name_existing_keys_and_each_name_once() -> None:
    assert set(SYNONYMS) <= set(KEYS)
    assert {key for keys in SEVERAL.values() for key in keys} <= set(KEYS)
    names = [name for others in SYNONYMS.values() for name in others]
    assert len(set(names)) == len(names)
