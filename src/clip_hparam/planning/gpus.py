"""Find the GPUs of this computer, and why torch may not see them. Imports no torch.

Files are read, because CUDA must not be initialised in a process that forks.
"""

import importlib.util
import os
import re
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path

from clip_hparam.config.text.count import counted

NVIDIA, AMD, WSL, JETSON = "NVIDIA", "AMD", "WSL", "Jetson"
DEV = Path("/dev")
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
AMD_NODES = Path("/sys/class/kfd/kfd/topology/nodes")
WSL_DRIVER = Path("/usr/lib/wsl/lib/libcuda.so.1")  # where Windows has a driver of NVIDIA
BACKENDS = {NVIDIA: "cuda", AMD: "hip", WSL: "cuda", JETSON: "cuda"}
"""What torch must be built with to use a GPU, by its kind; the name in torch/version.py."""


def installed_gpus() -> tuple[str, int]:
    """Return the kind of the GPUs of this computer and their number; ("", 0) without GPUs.

    WSL and Jetson do not tell the number: it is 1.
    """
    nvidia = len(list(DEV.glob("nvidia[0-9]*")))
    if nvidia:
        return NVIDIA, nvidia
    amd = sum(map(_is_amd_gpu, AMD_NODES.glob("*/properties")))
    if amd:
        return AMD, amd
    if (DEV / "dxg").exists() and WSL_DRIVER.exists():
        return WSL, 1
    return (JETSON, 1) if (DEV / "nvmap").exists() else ("", 0)


def visible_names() -> list[str]:
    """Return the names of the GPUs that torch may use, as CUDA_VISIBLE_DEVICES has them.

    Without that variable they are 0, 1, ... and none if torch is built for no GPU of their kind.
    """
    for name in visibility_variables():
        if name in os.environ:
            given = (part.strip() for part in os.environ[name].split(","))
            return list(takewhile(lambda part: part and not part.startswith("-"), given))
    kind, count = installed_gpus()
    usable = kind and torch_is_built_with(BACKENDS[kind])
    return [str(index) for index in range(count if usable else 0)]


def visibility_variables() -> tuple[str, ...]:
    """Return the variables that choose the GPUs of a process; the first that is set has effect."""
    amd = ("HIP_VISIBLE_DEVICES",) if installed_gpus()[0] == AMD else ()
    return (*amd, "CUDA_VISIBLE_DEVICES")


def unusable_gpu_reason() -> str | None:
    """Return why torch does not see the GPUs of this computer; None if it does, or has no GPU.

    A GPU that is hidden by an empty CUDA_VISIBLE_DEVICES is none. Another fault of a driver is
    found by torch only.
    """
    kind, count = installed_gpus()
    if not kind or _are_hidden():
        return None
    has = f"this computer has {counted(count, 'GPU')} of {kind}"
    if not torch_is_built_with(BACKENDS[kind]):
        backend = {"cuda": "CUDA", "hip": "ROCm"}[BACKENDS[kind]]
        return f"{has}, and torch is built without {backend}"
    if kind == NVIDIA and not NVIDIA_DRIVER.exists():
        return f"{has}, and no driver is loaded for it"
    return None


def hidden_gpu_reason() -> str | None:
    """Return why torch finds no GPU although this computer seems to have one.

    None if it has none, or if its GPUs are hidden.
    """
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    kind, _ = installed_gpus()
    if _are_hidden() or not (kind or given):
        return None
    evidence = f"this computer has a GPU of {kind}" if kind else f"CUDA_VISIBLE_DEVICES={given}"
    tool = "rocminfo" if kind == AMD else "nvidia-smi"
    return unusable_gpu_reason() or f"{evidence}, and torch sees no GPU: see {tool}"


@cache
def torch_is_built_with(backend: str) -> bool:
    """Return whether the installed torch has "cuda" or "hip", from its version.py."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    text = (Path(spec.origin).parent / "version.py").read_text()
    return any(value != "None" for value in _values(text, backend))


def _are_hidden() -> bool:
    """Return whether a variable hides all GPUs from this process."""
    return any(name in os.environ for name in visibility_variables()) and not visible_names()


def _values(text: str, name: str) -> Iterator[str]:
    for line in text.splitlines():
        match = re.match(rf"{name}\b[^=]*=\s*(.+)", line)
        if match:
            yield match[1].strip()


def _is_amd_gpu(properties: Path) -> bool:
    """Return whether a node of the AMD driver is a GPU: CPUs have no SIMD units."""
    try:
        words = properties.read_text().split()
    except OSError:
        return False
    facts = dict(zip(words[::2], words[1::2], strict=False))
    return int(facts.get("simd_count", 0)) > 0
