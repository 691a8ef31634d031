"""GPU slots for trials: whole GPUs, found without initialising CUDA."""

import os

import pytest

from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.launch.resources import gpu_slots, visible_gpus

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("visible", "driver", "expected"),
    [
        ("0,1", SweepOptions(), ["0", "1"]),
        ("2, 3,5,7", SweepOptions(gpus_per_trial=2), ["2,3", "5,7"]),
        ("0,1,2", SweepOptions(gpus_per_trial=2), ["0,1"]),
        ("0,1", SweepOptions(workers=3), ["0", "1", "0"]),
        ("0,1", SweepOptions(workers=1), ["0"]),
        ("GPU-a1,GPU-b2", SweepOptions(gpus_per_trial=2), ["GPU-a1,GPU-b2"]),
        ("", SweepOptions(workers=2), [None, None]),
        ("", SweepOptions(), [None] * CORES),
        ("", SweepOptions(gpus_per_trial=CORES), [None]),
        ("", SweepOptions(gpus_per_trial=1000), [None]),
    ],
)
def test_gpu_slots_are_the_visible_gpus_or_one_per_core(
    monkeypatch: pytest.MonkeyPatch, visible: str, driver: SweepOptions, expected: list[str | None]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_slots(driver, "auto") == expected


@pytest.mark.parametrize(("device", "count"), [("cpu", CORES), ("cuda:1", 1)])
def test_named_device_is_not_changed(
    monkeypatch: pytest.MonkeyPatch, device: str, count: int
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3,4,5,6,7")
    assert visible_gpus(device) == []
    assert gpu_slots(SweepOptions(), device) == [None] * count


def test_more_gpus_than_visible_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with pytest.raises(ValueError, match="gpus_per_trial=8, and this computer has 2: try 2"):
        gpu_slots(SweepOptions(gpus_per_trial=8), "auto")
