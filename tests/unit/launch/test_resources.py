"""The device of a prediction is the GPU where a trial would use one, else the processor."""

import pytest

from clip_hparam.launch import resources
from clip_hparam.launch.resources import local_device_name


@pytest.mark.parametrize(
    ("device", "visible", "name"),
    [
        ("auto", "0", "a GPU"),
        ("cuda:1", "0,1", "a GPU"),
        ("cpu", "0", "a CPU"),
        ("auto", "", "a CPU"),
    ],
)
def test_local_device_name(
    device: str, visible: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(resources, "gpu_name", lambda: "a GPU")
    monkeypatch.setattr(resources, "processor_name", lambda: "a CPU")
    assert local_device_name(device) == name
