"""Scores equal those of scikit-learn and their definitions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from clip_hparam.records.metrics import as_percentage
from clip_hparam.training.metrics.predictions import Predictions
from clip_hparam.training.metrics.scores import (
    balanced_accuracy,
    brier_score,
    calibration_error,
    class_accuracy,
    macro_f1,
    tempered_loss,
)


def certain(confidence: list[float], correct: list[bool]) -> Predictions:
    """Return predictions of class 0 with these probabilities."""
    size = len(confidence)
    zeros = np.zeros(size, np.float32)
    return Predictions(
        2,
        np.where(correct, 0, 1),
        np.zeros((size, 1), np.int64),
        np.array(confidence, np.float32)[:, None],
        *(zeros, zeros, zeros),
    )


def test_accuracy_by_class_is_the_recall_of_scikit_learn(predictions: Predictions) -> None:
    labels, predicted = predictions.labels, predictions.predicted
    recall = sklearn_metrics.recall_score(labels, predicted, labels=range(5), average=None)
    accuracy = class_accuracy(predictions)
    np.testing.assert_allclose(accuracy[:5], 100 * recall)
    assert np.isnan(accuracy[5:]).all()
    assert balanced_accuracy(predictions) == pytest.approx(100 * recall.mean())


def test_f1_is_that_of_scikit_learn(predictions: Predictions) -> None:
    labels, predicted = predictions.labels, predictions.predicted
    f1 = sklearn_metrics.f1_score(labels, predicted, average="macro", zero_division=0)
    assert macro_f1(predictions) == pytest.approx(100 * f1)


@settings(deadline=None)
@given(
    classes=st.integers(1, 1000),
    images=st.integers(1, 3000),
    wrong=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_readers_keep_every_percentage(classes: int, images: int, wrong: int, seed: int) -> None:
    """Means over classes need no rounding to lie within 0 to 100; all right is exactly 100."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, images)
    order = labels[:, None].copy()
    order[:wrong, 0] = generator.integers(0, classes, min(wrong, images))
    zeros = np.zeros(images, np.float32)
    predictions = Predictions(
        classes, labels, order, np.ones((images, 1), np.float32), *[zeros] * 3
    )
    for value in (balanced_accuracy(predictions), macro_f1(predictions)):
        assert as_percentage(value) == value
        assert (value == 100) == bool(predictions.correct.all())


def test_brier_score_is_the_squared_distance_to_the_label(
    predictions: Predictions, logits: torch.Tensor, labels: torch.Tensor
) -> None:
    wanted = torch.nn.functional.one_hot(labels, 7)
    distance = (logits.softmax(1) - wanted).square().sum(1).mean()
    assert brier_score(predictions) == pytest.approx(float(distance), rel=1e-5)
    assert tempered_loss(predictions) == pytest.approx(predictions.tempered_losses.mean())


def test_calibration_error_averages_the_gaps_of_its_bins() -> None:
    # bin of 0.9: accuracy 0.5, gap 0.4 (4 images); bin of 0.5: accuracy 1, gap 0.5 (1 image)
    one = certain([0.9, 0.9, 0.9, 0.9, 0.5], [True, True, False, False, True])
    assert calibration_error(one) == pytest.approx((4 * 0.4 + 0.5) / 5)


def test_calibration_error_of_a_certain_and_correct_model_is_zero() -> None:
    assert calibration_error(certain([1.0, 1.0], [True, True])) == 0
    assert np.isnan(calibration_error(certain([float("nan")], [True])))


def test_calibration_error_does_not_cancel_between_bins() -> None:
    one = certain([0.9, 0.1], [False, True])
    assert calibration_error(one) == pytest.approx(0.9)


def test_a_probability_of_one_is_in_the_last_bin() -> None:
    assert calibration_error(certain([1.0, 0.95], [False, True])) == pytest.approx(0.95 / 2)


def test_calibration_bins_have_equal_width_and_begin_at_zero() -> None:
    in_two_bins = certain([0.05, 0.1], [True, False])  # of (0, 1/15] and (1/15, 2/15]
    assert calibration_error(in_two_bins) == pytest.approx((0.95 + 0.1) / 2)
    in_one_bin = certain([0.11, 0.12], [True, False])
    assert calibration_error(in_one_bin) == pytest.approx((1 - 0.11 - 0.12) / 2)
