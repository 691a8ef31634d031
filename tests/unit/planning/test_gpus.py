"""GPUs are found by their files, hidden ones are none, and unusable ones have a reason."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.launch.resources import (
    available_cores,
    gpu_slots,
    print_device_note,
    validate_device,
)
from clip_hparam.planning import gpus

Computer = Callable[..., None]
FILES = {
    "NVIDIA": ["dev/nvidia0", "dev/nvidia1", "dev/nvidiactl", "driver"],
    "AMD": ["dev/kfd", *(f"nodes/{node}/properties" for node in range(3))],
    "WSL": ["dev/dxg", "libcuda.so.1"],
    "WSL without NVIDIA": ["dev/dxg"],
    "Jetson": ["dev/nvmap"],
    "none": ["dev/null"],
}


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    """Return a function that pretends a computer with these files and a torch with a backend."""
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gpus, "DEV", tmp_path / "dev")
    monkeypatch.setattr(gpus, "NVIDIA_DRIVER", tmp_path / "driver")
    monkeypatch.setattr(gpus, "AMD_NODES", tmp_path / "nodes")
    monkeypatch.setattr(gpus, "WSL_DRIVER", tmp_path / "libcuda.so.1")

    def pretend(kind: str, backend: str, *missing: str) -> None:
        for name in set(FILES[kind]) - set(missing):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            node = "nodes/0" not in name  # the CPU
            path.write_text(f"cpu_cores_count {16 * (not node)}\nsimd_count {256 * node}\n")
        monkeypatch.setattr(gpus, "torch_is_built_with", lambda name: name == backend)

    return pretend


@pytest.mark.parametrize(
    ("kind", "backend", "slots"),
    [
        ("NVIDIA", "cuda", ["0", "1"]),
        ("AMD", "hip", ["0", "1"]),
        ("WSL", "cuda", ["0"]),
        ("Jetson", "cuda", ["0"]),
        *((kind, "", None) for kind in FILES),
        ("AMD", "cuda", None),
        ("NVIDIA", "hip", None),
        ("WSL without NVIDIA", "cuda", None),
        ("none", "cuda", None),
    ],
)
def test_auto_runs_a_trial_per_usable_gpu_and_else_per_core(
    computer: Computer, kind: str, backend: str, slots: list[str] | None
) -> None:
    computer(kind, backend)
    assert gpu_slots(SweepOptions(), "auto") == (slots or [None] * available_cores())


@pytest.mark.parametrize("hidden", ["", "-1", " "])
def test_hidden_gpus_are_none_and_not_missed(
    computer: Computer, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    computer("NVIDIA", "")
    assert gpus.unusable_gpu_reason()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert gpus.visible_names() == []
    assert gpus.unusable_gpu_reason() is None
    assert gpus.hidden_gpu_reason() is None


def test_names_end_at_the_first_that_hides_the_rest(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer("NVIDIA", "cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 1,-1,0")
    assert gpus.visible_names() == ["3", "1"]


def test_amd_gpus_are_chosen_by_their_own_variable(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer("AMD", "hip")
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert gpus.visible_names() == ["1"]
    assert gpus.visibility_variables() == ("HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")


@pytest.mark.parametrize(
    ("kind", "backend", "missing", "reason"),
    [
        ("NVIDIA", "", (), "has 2 GPUs of NVIDIA, and torch is built without CUDA"),
        ("NVIDIA", "cuda", ("driver",), "has 2 GPUs of NVIDIA, and no driver is loaded for it"),
        ("AMD", "cuda", (), "has 2 GPUs of AMD, and torch is built without ROCm"),
        ("WSL", "", (), "has 1 GPU of WSL, and torch is built without CUDA"),
    ],
)
def test_unusable_gpu_is_noted_for_auto_and_refused_for_cuda(
    computer: Computer,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    backend: str,
    missing: tuple[str, ...],
    reason: str,
) -> None:
    computer(kind, backend, *missing)
    print_device_note("cpu")
    assert capsys.readouterr().err == ""
    print_device_note("auto")
    assert capsys.readouterr().err == (
        f"note: machine.device=auto is the CPU: this computer {reason}\n"
    )
    if "driver" not in reason:
        with pytest.raises(ValueError, match=rf"device=cuda, and this computer {reason}: try"):
            validate_device("cuda")
    assert gpus.hidden_gpu_reason() == f"this computer {reason}"


@pytest.mark.parametrize(("kind", "backend"), [("NVIDIA", "cuda"), ("AMD", "hip"), ("none", "")])
def test_usable_gpu_and_no_gpu_have_no_reason(computer: Computer, kind: str, backend: str) -> None:
    computer(kind, backend)
    assert gpus.unusable_gpu_reason() is None


def test_gpu_that_torch_does_not_see_has_a_reason(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer("none", "cuda")
    assert gpus.hidden_gpu_reason() is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    reason = "CUDA_VISIBLE_DEVICES=2, and torch sees no GPU: see nvidia-smi"
    assert gpus.hidden_gpu_reason() == reason
    computer("AMD", "hip")
    assert str(gpus.hidden_gpu_reason()).endswith("of AMD, and torch sees no GPU: see rocminfo")


@pytest.mark.parametrize("device", ["cuda:2", "cuda:9"])
def test_gpu_beyond_the_last_is_refused(computer: Computer, device: str) -> None:
    computer("NVIDIA", "cuda")
    validate_device("cuda:1")
    with pytest.raises(ValueError, match=f"device={device}, and this computer has 2 GPUs: try"):
        validate_device(device)


@pytest.mark.parametrize(
    ("text", "backends"),
    [
        ("cuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n", {"cuda"}),
        ("cuda = None\nhip = '6.4'\n", {"hip"}),
        ("cuda: Optional[str] = None\n", set()),
    ],
)
def test_backend_of_torch_is_read_from_its_version_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, backends: set[str]
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").touch()
    (tmp_path / "torch/version.py").write_text(text)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    found = {name for name in ("cuda", "hip") if gpus.torch_is_built_with.__wrapped__(name)}
    assert found == backends
