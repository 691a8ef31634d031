"""What a check returns, and how checks run one after the other within a budget of time."""

import gc
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from clip_hparam.training.device.numerics import UnsupportedMachineError

PASSED, FAILED, NOT_RUN, NOT_APPLICABLE = "passed", "failed", "not run", "not applicable"
Figure = float | int | str | bool
PACKAGE = "clip_hparam"


@dataclass(frozen=True)
class Setup:
    """Where the checks run.

    folder: an empty folder for images, records and checkpoints.
    """

    device: torch.device
    folder: Path

    @property
    def on_gpu(self) -> bool:
        return self.device.type == "cuda"


class Finding(NamedTuple):
    """What a check has found."""

    state: str
    sentence: str
    figures: Mapping[str, Figure]


class Task(NamedTuple):
    """A check to run. seconds: what it takes on a GPU, roughly; not started if less is left."""

    name: str
    seconds: float
    run: Callable[[Setup], Finding]


class Check(NamedTuple):
    """A row of the table.

    state: PASSED, FAILED, NOT_RUN or NOT_APPLICABLE.
    seconds: that it took.
    """

    name: str
    state: str
    figures: Mapping[str, Figure]
    sentence: str
    seconds: float


def passed(sentence: str, **figures: Figure) -> Finding:
    return Finding(PASSED, sentence, figures)


def failed(sentence: str, **figures: Figure) -> Finding:
    return Finding(FAILED, sentence, figures)


def not_applicable(sentence: str, **figures: Figure) -> Finding:
    return Finding(NOT_APPLICABLE, sentence, figures)


def within(what: str, value: float, limit: float, **figures: Figure) -> Finding:
    """Return whether a value is at most its limit; not a number fails too."""
    state = PASSED if value <= limit else FAILED
    return Finding(state, f"{what}, limit {limit:.2g}", {**figures, "value": value})


def largest_difference(values: Sequence[float], expected: Sequence[float]) -> float:
    """Return the largest relative difference; not a number if a value is not one."""
    pairs = zip(values, expected, strict=True)
    return float(np.max([abs(value - one) / abs(one) for value, one in pairs]))


def run_tasks(
    tasks: Sequence[Task], setup: Setup, budget: float, report: Callable[[list[Check]], None]
) -> list[Check]:
    """Run the tasks in their order, and return a check for each.

    budget: seconds for all. A task whose time is not left is not run; on a CPU, where all is small,
        a task is begun as long as any time is left.
    report: called with the checks so far after each of them.
    """
    started = time.monotonic()
    checks: list[Check] = []
    for task in tasks:
        left = max(budget - (time.monotonic() - started), 0.0)
        needed = task.seconds if setup.on_gpu else 0.0
        if left <= needed:
            sentence = f"takes about {task.seconds:.0f} s, and {left:.0f} s were left"
            checks.append(Check(task.name, NOT_RUN, {}, sentence, 0.0))
        else:
            checks.append(run_task(task, setup))
        report(checks)
    return checks


def run_task(task: Task, setup: Setup) -> Check:
    """Run a task; an exception becomes a failed check."""
    started = time.monotonic()
    with _restored_torch(setup.device):
        try:
            finding = task.run(setup)
        except UnsupportedMachineError as error:
            finding = not_applicable(str(error))
        except Exception as error:
            finding = failed(_first_line(error))
    return Check(
        task.name, finding.state, finding.figures, finding.sentence, time.monotonic() - started
    )


def _first_line(error: Exception) -> str:
    """Return the first line of an error, and the innermost line of the package that raised it."""
    message = next((line for line in str(error).splitlines() if line.strip()), "")
    places = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if PACKAGE in Path(frame.filename).parts
    ]
    return f"{type(error).__name__}: {message}" + (f" ({places[-1]})" if places else "")


@contextmanager
def _restored_torch(device: torch.device) -> Iterator[None]:
    """Give torch its settings back after a check, and a GPU its memory.

    On a CPU torch has one thread meanwhile, as trials of the tiny tower have.
    """
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    allow_tf32 = torch.backends.cudnn.allow_tf32
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = allow_tf32
        if device.type == "cuda":
            gc.collect()
            with suppress(RuntimeError):  # after an error of a kernel CUDA answers nothing
                torch.cuda.empty_cache()
