"""Check a GPU in one call: numbers, waiting, copies, resumes, ranks, memory, speed.

    python benchmarks/gpu_check.py --out DIR [--device auto|cpu|cuda] [--seconds 420] [--only NAME]

Prints a table and writes DIR/gpu_check.json and DIR/gpu_check.md, again after each check. The exit
code is 1 if a check has failed. Correctness comes before the matrix of throughputs. A check whose
time is not left within --seconds is "not run"; one that this device cannot answer is "not
applicable". --only takes the beginnings of names, with commas: --only numerics,memory. On a CPU all
runs with the tiny tower, whose figures mean nothing.

It needs no network and no data: images are generated. From a checkout, on a computer without a
package index that has torch, torchvision, timm and what they need, carry wheels of open_clip_torch,
ftfy and wcwidth (and of regex, scikit-learn and others of setup.cfg where an import fails), and
type:

    python -m pip install --no-index --no-deps --target site wheels/*.whl
    PYTHONPATH=src:site python benchmarks/gpu_check.py --out gpu_check
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch
from gpu_checks import environment, memory, numerics, profile, ranks, trials, waiting
from gpu_checks.check import FAILED, Check, Setup, Task, run_tasks
from gpu_checks.speed import checkpoints, evaluation, files, throughput

from clip_hparam.planning.device_names import processor_name

SECONDS = 420.0
JSON_NAME, PAGE_NAME = "gpu_check.json", "gpu_check.md"
CPU_NOTE = "On a CPU each tower is the tiny one: these figures mean nothing."
GROUPS = (environment, numerics, waiting, profile, trials, ranks, memory, checkpoints, evaluation)


def all_tasks(device: torch.device) -> list[Task]:
    """Return all checks in the order in which they run."""
    tasks = [task for group in GROUPS for task in group.TASKS]
    return [*tasks, *files.TASKS, *throughput.matrix(device)]


def selected(tasks: Sequence[Task], only: str) -> list[Task]:
    """Return the tasks whose names begin with one of the words, which commas separate.

    Raises: ValueError for a word that no name begins with.
    """
    words = [word.strip() for word in only.split(",") if word.strip()]
    for word in words:
        if not any(task.name.startswith(word) for task in tasks):
            groups = sorted({task.name.partition(":")[0] for task in tasks})
            raise ValueError(f"no check begins with {word}: try {', '.join(groups)}")
    return [task for task in tasks if not words or task.name.startswith(tuple(words))]


def to_markdown(checks: Sequence[Check]) -> str:
    """Return the table of the checks."""
    lines = ["| check | state | figures | s |", "|---|---|---|---|"]
    for check in checks:
        figures = ", ".join(f"{name} {_format(value)}" for name, value in check.figures.items())
        told = "; ".join(part for part in (check.sentence, figures) if part).replace("|", "/")
        lines.append(f"| {check.name} | {check.state} | {told} | {check.seconds:.1f} |")
    return "\n".join(lines)


def write_results(out: Path, setup: Setup, started: datetime, checks: Sequence[Check]) -> None:
    """Write the checks so far as JSON and as a page."""
    facts = {
        "device": _device_name(setup.device),
        "torch": torch.__version__,
        "started": started.isoformat(timespec="seconds"),
    }
    tree = {**facts, "checks": [check._asdict() for check in checks]}
    (out / JSON_NAME).write_text(json.dumps(tree, indent=2) + "\n")
    head = f"# gpu_check\n\n{facts['device']}, torch {facts['torch']}, {facts['started']}\n\n"
    (out / PAGE_NAME).write_text(f"{head}{to_markdown(checks)}\n\n{summary(setup, checks)}\n")


def summary(setup: Setup, checks: Sequence[Check]) -> str:
    """Return how many checks there are in each state, and on a CPU a note."""
    counts = Counter(check.state for check in checks)
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return f"{states}." if setup.on_gpu else f"{states}. {CPU_NOTE}"


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()


def _format(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _device(name: str) -> torch.device:
    """Return the device. Raises ValueError if torch sees no GPU where one was asked for."""
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ValueError("--device cuda, and torch sees no GPU: try --device cpu")
    return torch.device("cuda", 0) if has_gpu and name != "cpu" else torch.device("cpu")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="budget of time")
    parser.add_argument("--only", default="", help="beginnings of names, with commas")
    asked = parser.parse_args()
    try:
        device = _device(asked.device)
        tasks = selected(all_tasks(device), asked.only)
    except ValueError as error:
        parser.error(str(error))
    asked.out.mkdir(parents=True, exist_ok=True)
    started, begun = datetime.now(UTC), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gpu_check_", ignore_cleanup_errors=True) as folder:
        setup = Setup(device, Path(folder))

        def report(checks: list[Check]) -> None:
            print(f"{checks[-1].name}: {checks[-1].state}", file=sys.stderr, flush=True)
            write_results(asked.out, setup, started, checks)

        checks = run_tasks(tasks, setup, asked.seconds, report)
    seconds = time.monotonic() - begun
    print(f"{to_markdown(checks)}\n\n{summary(setup, checks)}")
    print(f"{seconds:.0f} s on {_device_name(device)}")
    return int(any(check.state == FAILED for check in checks))


if __name__ == "__main__":
    sys.exit(main())
