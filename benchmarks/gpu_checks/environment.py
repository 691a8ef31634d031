"""The machine: driver, card, versions, cores, shared memory."""

import platform
import re
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from clip_hparam.launch.resources import available_cores
from clip_hparam.planning.device_names import processor_name
from gpu_checks.check import Figure, Finding, Setup, Task, failed, passed

PACKAGES = ("torch", "torchvision", "timm", "open_clip_torch", "numpy", "triton")
SETUP = Path(__file__).parents[2] / "setup.cfg"
SIDE, LIMIT = 256, 1e-3
LINK = "driver_version,pcie.link.gen.current,pcie.link.width.current"


def describe(setup: Setup) -> Finding:
    """Return the facts that figures depend on, after a matrix product on the device."""
    figures: dict[str, Figure] = {"python": platform.python_version(), **_versions()}
    figures |= {"processor": processor_name(), "cores": available_cores()}
    with suppress(OSError):
        figures["/dev/shm free GB"] = round(shutil.disk_usage("/dev/shm").free / 1e9, 1)
    if setup.on_gpu:
        figures |= _gpu_facts(setup.device)
    product = torch.ones(SIDE, SIDE, device=setup.device) @ torch.ones(
        SIDE, SIDE, device=setup.device
    )
    error = float((product - SIDE).abs().max()) / SIDE
    if not error <= LIMIT:
        return failed(f"a matrix product is wrong by {error:.2g}", **figures)
    return passed(_old_torch() or "the device computes", **figures)


def _versions() -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _gpu_facts(device: torch.device) -> dict[str, Figure]:
    properties = torch.cuda.get_device_properties(device)
    facts: dict[str, Figure] = {
        "card": properties.name,
        "cards": torch.cuda.device_count(),
        "memory GB": round(properties.total_memory / 1e9, 1),
        "compute capability": ".".join(map(str, torch.cuda.get_device_capability(device))),
        "CUDA": str(torch.version.cuda),
        "cuDNN": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
    }
    with suppress(OSError, subprocess.SubprocessError):
        command = ["nvidia-smi", f"--query-gpu={LINK}", "--format=csv,noheader", "--id=0"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        values = [value.strip() for value in answer.stdout.split(",")]
        names = ("driver", "PCIe generation", "PCIe lanes")
        facts |= dict(zip(names, values, strict=False))
    return facts


def _old_torch() -> str:
    """Return a sentence if torch is older than setup.cfg asks for, else an empty string."""
    asked = re.search(r"^\s*torch>=([\d.]+)", SETUP.read_text(), re.MULTILINE)
    if asked is None or _numbers(torch.__version__) >= _numbers(asked[1]):
        return ""
    return f"torch {torch.__version__} is older than the {asked[1]} that setup.cfg asks for"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


TASKS = (Task("environment", 5, describe),)
