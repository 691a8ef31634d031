"""machine.loader_workers=auto: the cores of a rank less one."""

import os

import pytest

from clip_hparam.data.loading.worker_count import CORES_VARIABLE, resolve_workers


@pytest.mark.parametrize(
    ("cores", "ranks", "workers"), [(1, 1, 0), (2, 1, 1), (16, 1, 15), (80, 8, 9), (4, 8, 0)]
)
def test_auto_is_the_share_of_the_cores_less_one(
    cores: int, ranks: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CORES_VARIABLE, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    assert resolve_workers("auto", in_memory=False, ranks=ranks) == workers
    assert resolve_workers("auto", in_memory=True, ranks=ranks) == 0


def test_cores_that_a_launcher_divided_are_not_divided_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CORES_VARIABLE, "10")
    assert resolve_workers("auto", in_memory=False, ranks=8) == 9


@pytest.mark.parametrize(("cores", "told"), [(3, False), (2, True)])
def test_number_is_kept_and_a_number_above_the_cores_is_reported(
    cores: int, told: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(CORES_VARIABLE, str(cores))
    for in_memory in (False, True):
        assert resolve_workers(3, in_memory, ranks=1) == 3
    assert any("loader_workers=3 is more than" in one for one in caplog.messages) == told
