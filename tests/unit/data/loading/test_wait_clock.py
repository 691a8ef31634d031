"""The share of time that a trial waits for images, and the advice in the log."""

import logging
import time

import pytest

from clip_hparam.data.loading.wait_clock import WaitClock, advice


def test_time_inside_the_block_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([1.0, 1.5, 7.0, 9.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    clock = WaitClock("")
    for _ in range(2):
        with clock.running():
            pass
    assert clock.seconds == 2.5


@pytest.mark.parametrize(
    ("start", "total", "share"),
    [(0.0, 8.0, 0.25), (1.0, 8.0, 0.125), (0.0, 1.0, 1.0), (2.0, 0.0, 0.0)],
)
def test_share_is_that_of_the_time_since_the_start(
    start: float, total: float, share: float
) -> None:
    clock = WaitClock("")
    clock.seconds = 2.0
    assert clock.share_since(start, total) == share


def test_log_advises_once_above_five_percent_and_ten_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    clock = WaitClock("try machine.loader_workers=4")
    clock.seconds = 50.0
    clock.share_since(0.0, 1000.0)
    clock.share_since(40.0, 20.0)
    assert caplog.messages == []
    for total in (500.0, 100.0):
        clock.share_since(0.0, total)
    assert caplog.messages == [
        "10 % of the training time is spent waiting for images: try machine.loader_workers=4"
    ]


@pytest.mark.parametrize(
    ("workers", "in_memory", "words"),
    [
        (0, False, "loader_workers=1 "),
        (4, False, "loader_workers=8 "),
        (0, True, "machine.threads"),
    ],
)
def test_advice_names_a_setting(workers: int, in_memory: bool, words: str) -> None:
    assert words in advice(workers, in_memory)
