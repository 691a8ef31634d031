"""machine.deterministic sets torch's flags, and cuBLAS's workspace before CUDA starts."""

import os
from collections.abc import Iterator

import pytest
import torch

from clip_hparam.training.device.deterministic import set_deterministic
from clip_hparam.training.device.numerics import UnsupportedMachineError

CPU, GPU = torch.device("cpu"), torch.device("cuda", 1)


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    yield
    set_deterministic(False, CPU)


def flags() -> tuple[bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
    )


def test_flags_are_those_of_the_last_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    set_deterministic(True, GPU)
    assert flags() == (True, True, False)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    set_deterministic(False, GPU)
    assert flags() == (False, False, False)


def test_operation_without_a_deterministic_algorithm_is_an_error() -> None:
    set_deterministic(True, CPU)
    assert not torch.is_deterministic_algorithms_warn_only_enabled()


def test_cpu_needs_no_workspace() -> None:
    set_deterministic(True, CPU)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ""


def test_cuda_that_started_with_another_workspace_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    with pytest.raises(
        UnsupportedMachineError, match=r"before CUDA starts.*: set CUBLAS_WORKSPACE_CONFIG=:4096:8"
    ):
        set_deterministic(True, GPU)
    set_deterministic(False, GPU)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    set_deterministic(True, GPU)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
