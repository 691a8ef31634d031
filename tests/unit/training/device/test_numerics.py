"""Numerics of a machine: settings in effect, refused settings, and their record."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.device.numerics import (
    Numerics,
    UnsupportedMachineError,
    check_precision,
    device_of,
    keep_choices,
    matmul_precision_of,
    numerics_facts,
    numerics_of,
    read_numerics,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
HERE = Numerics("cpu", "Xeon", 1, "sdpa", compile=False, deterministic=False)
ONE_PROCESS = {name: value for name, value in asdict(HERE).items() if name != "gradients"}
OLD = {"device": "cpu", "device_name": "Xeon", "threads": 1, "attention": "sdpa"} | {
    "compile": False,
    "deterministic": False,
    "ranks": 1,
}


@pytest.fixture
def _default_precision() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(threads)


def pretend_gpu(patch: pytest.MonkeyPatch, capability: tuple[int, int]) -> None:
    patch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    patch.setattr(torch.cuda, "get_device_name", lambda device: "T4")
    patch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: capability >= (8, 0))


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_cpu_computes_in_all_precisions_but_tf32(precision: str) -> None:
    check_precision(precision, CPU)
    with pytest.raises(UnsupportedMachineError, match=r"this trial runs on .*: try precision=fp32"):
        check_precision("tf32", CPU)


def test_old_gpu_lacks_tf32_and_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpu(monkeypatch, (7, 5))
    check_precision("fp16", GPU)
    with pytest.raises(UnsupportedMachineError, match=r"runs on T4: try precision=fp32"):
        check_precision("tf32", GPU)
    with pytest.raises(UnsupportedMachineError, match=r"not supported by T4: try precision=fp16"):
        check_precision("bf16", GPU)


def test_new_gpu_has_all_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpu(monkeypatch, (9, 0))
    for precision in ("fp32", "tf32", "bf16", "fp16"):
        check_precision(precision, GPU)


@pytest.mark.usefixtures("_default_precision")
@pytest.mark.parametrize(("precision", "tf32"), [("fp32", False), ("bf16", False), ("tf32", True)])
def test_products_and_convolutions_have_tf32_only_with_that_precision(
    precision: str, tf32: bool
) -> None:
    replace(HERE, matmul_precision=matmul_precision_of(precision)).apply()
    assert (torch.get_float32_matmul_precision() == "high") == tf32
    assert torch.backends.cudnn.allow_tf32 == tf32


@pytest.mark.parametrize("status", [{}, {"state": "queued"}, {"numerics": None}])
def test_trial_without_an_attempt_has_no_numerics(status: dict[str, Any]) -> None:
    assert read_numerics(status) == []


def test_record_from_before_the_kernels_reads_as_reference_without_tf32() -> None:
    assert read_numerics({"numerics": OLD}) == [HERE]


def test_equal_attempts_are_recorded_once() -> None:
    assert numerics_facts([HERE, HERE]) == {"numerics": ONE_PROCESS}


def test_attempts_that_differ_are_listed_and_read_back() -> None:
    there = replace(HERE, device="cuda", device_name="A100")
    facts = numerics_facts([HERE, HERE, there, there, HERE])
    assert facts["numerics"] == ONE_PROCESS | {"changes": 2}
    assert read_numerics(facts) == [HERE, there, HERE]
    assert numerics_facts([*read_numerics(facts), HERE]) == facts


def test_resume_keeps_threads_and_kernels_but_not_the_device() -> None:
    first = replace(HERE, threads=4, kernels="fused", attention="explicit", device_name="Epyc")
    assert keep_choices(HERE, first) == replace(first, device_name="Xeon")


def test_named_gpu_is_that_of_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_of(Machine(device="cuda:1")) == torch.device("cuda", 1)
    with pytest.raises(UnsupportedMachineError, match=r"cuda:2, but torch sees 2 GPUs: try"):
        device_of(Machine(device="cuda:2"))


def test_each_rank_checks_the_precision_of_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpu(monkeypatch, (8, 0))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8 - device.index, 0))
    recipe = resolve(Recipe(precision="tf32"))
    assert numerics_of(recipe, Machine(device="cuda")).device_name == "T4"
    with pytest.raises(UnsupportedMachineError, match="precision=tf32 needs a GPU"):
        numerics_of(recipe, Machine(device="cuda"), 1)


def test_exchange_of_gradients_is_recorded_for_three_ranks_and_more() -> None:
    old = OLD | {"ranks": 4}
    (before,) = read_numerics({"numerics": old})
    now = before.with_ranks(4)
    assert numerics_facts([now])["numerics"]["gradients"] == "buckets"
    assert numerics_facts([before, now])["numerics"]["changes"] == 1
    for ranks in (1, 2):
        assert "gradients" not in numerics_facts([HERE.with_ranks(ranks)])["numerics"]


def test_numerics_of_a_resumed_trial_and_of_a_newer_version_are_read() -> None:
    last = ONE_PROCESS | {"changes": 2, "field_of_a_newer_version": True}
    assert read_numerics({"numerics": last}) == [HERE]
