"""Names of the processor and of the GPUs of this computer, read without torch and CUDA."""

import platform
from contextlib import suppress
from pathlib import Path
from subprocess import SubprocessError, run

NVIDIA_FOLDER = Path("/proc/driver/nvidia/gpus")
NVIDIA_SMI = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
TIMEOUT_SECONDS = 20.0  # nvidia-smi starts the driver where no process uses a GPU


def processor_name() -> str:
    """Return the model name of the CPU from /proc/cpuinfo, else from `platform`."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def gpu_name() -> str:
    """Return the name of the GPUs, as torch.cuda.get_device_name; "" if unknown, or if they differ.

    CUDA is not initialised: a process that has initialised it cannot fork.
    """
    names = _names_in_proc() or _names_by_command()
    return names.pop() if len(names) == 1 else ""


def _names_in_proc() -> set[str]:
    names: set[str] = set()
    for path in NVIDIA_FOLDER.glob("*/information"):
        with suppress(OSError):
            lines = path.read_text().splitlines()
            names |= {line.partition(":")[2].strip() for line in lines if line.startswith("Model")}
    return names


def _names_by_command() -> set[str]:
    try:
        done = run(NVIDIA_SMI, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True)
    except (OSError, SubprocessError):
        return set()
    return {line.strip() for line in done.stdout.splitlines() if line.strip()}
