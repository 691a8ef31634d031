"""Metrics of installed packages are found by their entry points; a broken one costs no trial."""

import logging
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from clip_hparam.config import entry_points
from clip_hparam.training.metrics import registry
from clip_hparam.training.metrics.predictions import Predictions


def median_confidence(predictions: Predictions) -> float:
    return float(np.median(predictions.confidence))


def broken(predictions: Predictions) -> float:
    raise ZeroDivisionError("no image")


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    values = {
        "median_confidence": f"{__name__}:median_confidence",
        "broken": f"{__name__}:broken",
        "missing": "no_such_package:metric",
        "acc1": f"{__name__}:median_confidence",
    }
    found = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
    monkeypatch.setattr(entry_points, "entry_points", lambda group: found)
    monkeypatch.setattr(EntryPoint, "load", load)
    registry.all_metrics.cache_clear()
    yield
    registry.all_metrics.cache_clear()


def load(entry: EntryPoint) -> object:
    """Return a function of this module, which pytest does not import by its name."""
    if entry.module == "no_such_package":
        raise ModuleNotFoundError("No module named 'no_such_package'")
    return globals()[entry.attr]


def test_values_of_the_package_and_of_another_one(
    install: None, predictions: Predictions, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        values = registry.metric_values(predictions)
    assert set(values) == {*registry.METRICS, "median_confidence", "broken"}
    assert values["median_confidence"] == np.median(predictions.confidence)
    assert np.isnan(values["broken"])
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 3
    assert "acc1" in messages[0]
    assert "is not used: the name acc1 is taken: rename it" in messages[0]
    assert "missing of clip_hparam.metrics" in messages[1]
    assert "is not used: ModuleNotFoundError" in messages[1]
    assert "broken is left out: ZeroDivisionError: no image" in messages[2]


def test_an_error_in_a_metric_of_the_package_is_raised(
    predictions: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.all_metrics.cache_clear()
    monkeypatch.setattr(registry, "METRICS", {"ece": broken})
    with pytest.raises(ZeroDivisionError):
        registry.metric_values(predictions)
    registry.all_metrics.cache_clear()
