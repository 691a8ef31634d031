"""Names of GPUs come from the driver's files or nvidia-smi, and never from CUDA."""

import subprocess
from pathlib import Path

import pytest

from clip_hparam.planning import device_names
from clip_hparam.planning.device_names import gpu_name, processor_name

H100 = "NVIDIA H100 80GB HBM3"


def write_driver_file(folder: Path, address: str, name: str) -> None:
    (folder / address).mkdir(parents=True)
    (folder / address / "information").write_text(f"Model: \t\t {name}\nIRQ:   \t\t 72\n")


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(device_names, "NVIDIA_FOLDER", tmp_path)
    monkeypatch.setattr(device_names, "NVIDIA_SMI", ("false",))
    return tmp_path


def test_gpus_of_one_kind_have_a_name(driver: Path) -> None:
    write_driver_file(driver, "0000:01:00.0", H100)
    write_driver_file(driver, "0000:02:00.0", H100)
    assert gpu_name() == H100


def test_gpus_of_two_kinds_have_none(driver: Path) -> None:
    write_driver_file(driver, "0000:01:00.0", H100)
    write_driver_file(driver, "0000:02:00.0", "NVIDIA A100-SXM4-80GB")
    assert gpu_name() == ""


def test_nvidia_smi_answers_where_there_are_no_files(
    driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_names, "NVIDIA_SMI", ("printf", f"{H100}\n{H100}\n"))
    assert gpu_name() == H100


def test_a_missing_or_failing_nvidia_smi_gives_no_name(
    driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gpu_name() == ""
    monkeypatch.setattr(device_names, "NVIDIA_SMI", ("no-such-command",))
    assert gpu_name() == ""


def test_processor_name_is_that_of_the_kernel() -> None:
    shown = subprocess.run(["cat", "/proc/cpuinfo"], capture_output=True, text=True, check=True)
    assert processor_name() in shown.stdout
