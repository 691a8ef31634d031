"""Names of GPUs come from the driver's files or nvidia-smi, and never from CUDA."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clip_hparam.planning import device_names
from clip_hparam.planning.device_names import gpu_name, processor_name

H100 = "NVIDIA H100 80GB HBM3"


def write_driver_file(folder: Path, address: str, name: str) -> None:
    (folder / address).mkdir(parents=True)
    (folder / address / "information").write_text(f"Model: \t\t {name}\nIRQ:   \t\t 72\n")


def answer(patch: pytest.MonkeyPatch, output: str) -> None:
    """Let nvidia-smi print this; without output it is not installed."""

    def run(words: Any, **options: Any) -> SimpleNamespace:
        if not output:
            raise FileNotFoundError
        return SimpleNamespace(stdout=output)

    patch.setattr(device_names, "run", run)


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(device_names, "NVIDIA_FOLDER", tmp_path)
    answer(monkeypatch, "")
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
    assert gpu_name() == ""
    answer(monkeypatch, f"{H100}\n{H100}\n")
    assert gpu_name() == H100


def test_processor_name_is_that_of_the_kernel() -> None:
    assert processor_name() in Path("/proc/cpuinfo").read_text()
