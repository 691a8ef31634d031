"""Find out whether torch.compile works on this machine, and configure it."""

import logging
import os
from contextlib import suppress
from functools import cache

import torch

from clip_hparam.planning.compilation import missing_compiler
from clip_hparam.records.user_cache import cache_folder

logger = logging.getLogger(__name__)
CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
CACHE_NAME = "inductor"
RECOMPILE_LIMIT = 64  # graphs of one function in a process, which may run trials of many shapes


def checked_compile(wanted: bool, device_type: str) -> bool:
    """Return whether to compile; where the compiler does not work, log one sentence instead."""
    reason = why_not(device_type) if wanted else ""
    if reason:
        logger.warning("machine.compile=on has no effect: %s; the trial runs eager", reason)
    return wanted and not reason


@cache
def why_not(device_type: str) -> str:
    """Return why this machine cannot compile, after compiling a small function; "" if it can."""
    reason = missing_compiler(device_type == "cuda")
    if reason:
        return reason
    configure()
    try:
        torch.compile(_small_function)(torch.ones(8, device=device_type))
    except Exception as error:  # any error of the compiler, its tools or its cache
        return f"the compiler failed ({_first_line(error)})"
    return ""


def configure() -> None:
    """Share compiled code between processes and trials, and compile in this process.

    A forkserver must not have threads; compiling in this process starts none, apart from the
    monitor of progress bars, which is switched off.
    """
    folder = cache_folder().expanduser() / CACHE_NAME
    with suppress(OSError):  # a read-only home: torch's default is a temporary folder
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault(CACHE_VARIABLE, str(folder))
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # says "no CUDA" on CPUs
    import torch._dynamo.config  # lazy: 1 s
    import torch._inductor.config  # lazy: as above
    from tqdm import tqdm  # type: ignore[import-untyped]

    tqdm.monitor_interval = 0
    torch._dynamo.config.recompile_limit = RECOMPILE_LIMIT
    torch._inductor.config.compile_threads = 1


def _small_function(values: torch.Tensor) -> torch.Tensor:
    return torch.relu(values) + 1


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
