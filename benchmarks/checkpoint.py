"""Bandwidth of a checkpoint, for states as large as those of ViT-B/16 and ViT-L/14.

    python benchmarks/checkpoint.py [--folder DIR] [--rounds 3] [--sizes b16,l14]

Prints, for the writer of this version and for that of version 0.1.0 (torch.save to memory, then
sha256, then the file; selected weights copied first), interleaved rounds on random weights: CPU
and wall seconds up to a synced file, their bandwidth, the extra memory in sizes of the weights, and
for how long training waits. Version 0.1.0 takes 8 x the weights of memory, so it is measured for
b16 only. The state of l14 has one tensor in all its places, which saves memory here.
"""

import argparse
import hashlib
import io
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import torch
from rows import Row, ratio_of, row_of, to_markdown
from torch import Tensor

from clip_hparam.records.atomic import write_atomic
from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.checkpoints.content import Content
from clip_hparam.training.checkpoints.progress import Selection
from clip_hparam.training.checkpoints.snapshot import Snapshot
from clip_hparam.training.checkpoints.state_file import Part

QUICK = ["--sizes", "tiny", "--rounds", "1"]
PARAMETERS = {"tiny": 303_000, "b16": 85_978_600, "l14": 303_602_664}
"""Trained parameters: of the bundled tower, and of the published recipes."""
MEASURED_BEFORE = ("tiny", "b16")
CHANGING = ("raw", "ema", "exp_avg", "exp_avg_sq")
SELECTED = ("raw", "ema")
GIB = 2**30


class Measured(NamedTuple):
    """One save: seconds, bytes on the disk, extra bytes of memory, seconds of training lost."""

    cpu: float
    wall: float
    written: int
    memory: int
    waited: float


def resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def measure(save: Callable[[], float], folder: Path) -> Measured:
    """Measure a function that saves to the folder and returns for how long training waited."""
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak, VmHWM
    cpu, wall = time.process_time(), time.perf_counter()
    waited = save()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    written = sum(path.stat().st_size for path in folder.iterdir())
    return Measured(cpu, wall, written, resident("VmHWM") - before, waited)


def save_before(folder: Path, tensors: dict[str, Tensor], selected: dict[str, Tensor]) -> float:
    """Save as version 0.1.0 did."""
    started = time.perf_counter()
    buffer = io.BytesIO()
    torch.save({**tensors, "weights": deepcopy(selected)}, buffer)
    content = buffer.getvalue()
    write_atomic(folder / "step.pt", content)
    write_atomic(folder / "step.pt.sha256", hashlib.sha256(content).hexdigest().encode())
    return time.perf_counter() - started


def save_now(folder: Path, tensors: dict[str, Tensor], selected: dict[str, Tensor]) -> float:
    """Save in a thread, and release the state as an optimizer step does."""
    parts = {name: Part(flat, {f"{name}.weights": flat.shape}) for name, flat in tensors.items()}
    chosen = tuple(Part(flat, {f"{name}.weights": flat.shape}) for name, flat in selected.items())
    content = Content(list(parts.values()), [], {}, Selection(0, selected), chosen)
    snapshot = Snapshot(list(tensors.values()), memory=2 * tensors["raw"].nbytes)
    thread = threading.Thread(target=checkpoint.save, args=(folder, 1, content, snapshot))
    thread.start()
    started = time.perf_counter()
    snapshot.release()
    waited = time.perf_counter() - started
    thread.join()
    return waited


def state_of(size: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the tensors that training changes, and the selected weights."""
    names = [*CHANGING, *(f"selected.{name}" for name in SELECTED)]
    if size in MEASURED_BEFORE:
        tensors = {name: torch.randn(PARAMETERS[size]) for name in names}
    else:
        tensors = dict.fromkeys(names, torch.randn(PARAMETERS[size]))
    selected = {name: tensors.pop(f"selected.{name}") for name in SELECTED}
    return tensors, selected


def rows_of(size: str, rounds: dict[str, list[Measured]]) -> Iterator[Row]:
    """Yield the figures of the writer of this version, and its ratio to that of version 0.1.0."""
    what, weights, now = f"checkpoint: {size}", 4 * PARAMETERS[size], rounds["now"]
    yield row_of(f"{what}, CPU time", [one.cpu for one in now], "CPU s")
    yield row_of(f"{what}, wall time", [one.wall for one in now], "s")
    yield row_of(f"{what}, training waits", [one.waited for one in now], "s")
    yield row_of(f"{what}, bandwidth", [one.written / GIB / one.cpu for one in now], "GiB/CPU s")
    yield row_of(f"{what}, written, x the weights", [one.written / weights for one in now], "x")
    yield row_of(f"{what}, memory, x the weights", [one.memory / weights for one in now], "x")
    if "0.1.0" in rounds:
        before = [one.cpu for one in rounds["0.1.0"]]
        yield ratio_of(f"{what}, x before", [one.cpu for one in now], before, "version 0.1.0")


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="on the disk to measure (temporary folder)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default="b16,l14")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Row] = []
    for size in arguments.sizes.split(","):
        tensors, selected = state_of(size)
        writers = {"0.1.0": save_before} if size in MEASURED_BEFORE else {}
        writers["now"] = save_now
        rounds: dict[str, list[Measured]] = {version: [] for version in writers}
        for _ in range(arguments.rounds):
            for version, writer in writers.items():
                folder = Path(tempfile.mkdtemp(dir=arguments.folder))
                save = lambda: writer(folder, tensors, selected)  # noqa: B023, E731
                rounds[version].append(measure(save, folder))
                shutil.rmtree(folder)
        rows += rows_of(size, rounds)
        print("\n".join(map(str, rows)), flush=True)
    return rows


if __name__ == "__main__":
    print(to_markdown(main()))
