"""benchmarks/gpu_check.py runs on the CPU, and its exit code says whether a check has failed."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from support.cli import ROOT
from support.in_process import Done, call

QUICK = (
    *(
        "environment",
        "numerics: fp32",
        "numerics: overflow",
        "numerics: tf32",
        "waiting",
        "profile",
    ),
    *(
        "resume: deterministic",
        "server",
        "ranks",
        "memory",
        "checkpoint: B/16",
        "evaluation",
        "files",
    ),
    *("throughput: B/16 224 bf16 eager", "throughput: B/16 224 bf16 compiled product"),
)
ONLY_ON_GPUS = {
    "numerics: tf32",
    *("waiting: images in memory", "waiting: images in files", "profile: steps from files"),
    *("memory: predicted B/16 224", "memory: predicted B/16 384", "memory: predicted L/14 224"),
    "memory: micro_batch=auto",
    "throughput: B/16 224 bf16 compiled product",
}


@pytest.fixture
def gpu_check(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return import_module("gpu_check")


def module(name: str) -> ModuleType:
    return import_module(f"gpu_checks.{name}")


def run(gpu_check: ModuleType, folder: Path, *names: str) -> Done:
    words = ("--out", "out", "--device", "cpu", "--only", ",".join(names))
    return call(gpu_check.main, "gpu_check.py", *words, cwd=folder)


def states(folder: Path) -> dict[str, str]:
    tree = json.loads((folder / "out" / "gpu_check.json").read_text())
    return {check["name"]: check["state"] for check in tree["checks"]}


def test_checks_pass_on_a_cpu_or_say_that_they_need_a_gpu(
    gpu_check: ModuleType, tmp_path: Path
) -> None:
    done = run(gpu_check, tmp_path, *QUICK)
    assert done.code == 0, done.out
    found = states(tmp_path)
    assert {name for name, state in found.items() if state == "not applicable"} == ONLY_ON_GPUS
    assert {state for name, state in found.items() if name not in ONLY_ON_GPUS} == {"passed"}
    assert len(found) == 28
    page = (tmp_path / "out" / "gpu_check.md").read_text()
    assert (
        "| numerics: fp32 | passed | largest relative difference of a loss, limit 0.0001; value 0 "
        in page
    )
    table = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    assert table in done.out


def test_failed_check_is_exit_code_1_and_the_others_run(
    gpu_check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module("numerics").LIMITS, "fp32", -1.0)
    done = run(gpu_check, tmp_path, "numerics: fp32", "numerics: EMA", "environment")
    assert done.code == 1
    assert states(tmp_path) == {
        "environment": "passed",
        "numerics: fp32": "failed",
        "numerics: EMA": "passed",
    }


FAULTS = {
    "numerics: EMA": ("clip_hparam.training.optim.ema.WeightEma.update", lambda ema: None),
    "numerics: overflow": (
        "torch.amp.GradScaler.step",
        lambda scaler, optimizer: optimizer.step(),
    ),
    "memory: out of memory": (
        "gpu_checks.memory.step_within_memory",
        lambda state, rows, step: step(),
    ),
    "checkpoint: B/16": (
        "gpu_checks.speed.checkpoints.restore_checkpoint",
        lambda state, saved: None,
    ),
    "throughput: B/16 224 fp32 eager": ("gpu_checks.speed.throughput.LOSS_LIMIT", -1.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(
    name: str, gpu_check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*FAULTS[name])
    assert run(gpu_check, tmp_path, name).code == 1
    assert set(states(tmp_path).values()) == {"failed"}


def test_error_of_a_check_is_its_first_line_and_place(gpu_check: ModuleType) -> None:
    check = module("check")

    def raises(setup: Any) -> Any:
        torch.ones(2) @ torch.ones(3)

    found = check.run_task(check.Task("x", 1, raises), check.Setup(torch.device("cpu"), ROOT))
    assert found.state == "failed"
    assert found.sentence.startswith("RuntimeError: ")
    assert "\n" not in found.sentence


def test_check_that_does_not_fit_the_budget_is_not_run(gpu_check: ModuleType) -> None:
    check = module("check")
    tasks = [
        check.Task("long", 100, lambda setup: check.passed("")),
        check.Task("short", 1, lambda setup: check.passed("")),
    ]
    reported: list[int] = []
    setup = check.Setup(torch.device("cuda", 0), ROOT)
    found = check.run_tasks(tasks, setup, 50, lambda checks: reported.append(len(checks)))
    assert [one.state for one in found] == ["not run", "passed"]
    assert found[0].sentence == "takes about 100 s, and 50 s were left"
    assert reported == [1, 2]


def test_unknown_name_is_answered_with_the_groups(gpu_check: ModuleType, tmp_path: Path) -> None:
    done = run(gpu_check, tmp_path, "nmerics")
    assert done.code == 2
    assert "no check begins with nmerics: try checkpoint, environment, evaluation" in done.err


def event(category: str, name: str, start: float = 0.0, duration: float = 1.0) -> dict[str, Any]:
    return {"cat": category, "name": name, "ts": start, "dur": duration}


GOOD_TRACE = (
    event("cpu_op", "aten::_scaled_dot_product_flash_attention"),
    event("gpu_memcpy", "Memcpy HtoD (Pinned -> Device)", 0.0, 1.0),
    event("kernel", "flash_fwd_kernel", 1.0, 2.0),
    event("kernel", "gemm", 2.0, 2.0),
    event("kernel", "gemm", 7.0, 3.0),
    event("user_annotation", "step", 0.0, 20.0),
)


def test_trace_of_pinned_copies_and_fused_attention_passes(gpu_check: ModuleType) -> None:
    found = module("profile").judge_trace(GOOD_TRACE)
    assert found.state == "passed"
    assert found.figures["busy share"] == 0.7
    assert found.figures["kernel"] == "flash_fwd_kernel"


@pytest.mark.parametrize(
    ("added", "removed", "sentence"),
    [
        (event("gpu_memcpy", "Memcpy HtoD (Pageable -> Device)"), None, "1 pageable copies"),
        (event("cpu_op", "aten::_scaled_dot_product_attention_math"), None, "the math path"),
        (None, GOOD_TRACE[0], "the math path"),
        (None, GOOD_TRACE[1], "no pinned copy"),
    ],
)
def test_trace_of_other_copies_or_attention_fails(
    added: dict[str, Any] | None,
    removed: dict[str, Any] | None,
    sentence: str,
    gpu_check: ModuleType,
) -> None:
    trace = [one for one in (*GOOD_TRACE, added) if one is not None and one is not removed]
    found = module("profile").judge_trace(trace)
    assert found.state == "failed"
    assert sentence in found.sentence


@pytest.mark.parametrize(
    ("card", "precision", "expected"),
    [
        ("NVIDIA H100 80GB HBM3", "bf16", 989),
        ("NVIDIA A100-SXM4-80GB", "tf32", 156),
        ("NVIDIA H200", "fp32", 67),
        ("NVIDIA L4", "bf16", None),
    ],
)
def test_peak_is_that_of_the_card_and_the_precision(
    card: str, precision: str, expected: float | None, gpu_check: ModuleType
) -> None:
    assert module("speed.throughput").peak_tflops(card, precision) == expected


def test_matrix_begins_with_the_precision_of_the_published_runs(gpu_check: ModuleType) -> None:
    names = [task.name for task in module("speed.throughput").matrix(torch.device("cuda", 0))]
    assert len(set(names)) == 3 * 4 * 2 * 3
    assert names[:2] == [
        "throughput: B/16 224 bf16 eager product",
        "throughput: B/16 224 bf16 eager official-style",
    ]
    assert names[-1].endswith("fp32 compiled timm-style")
