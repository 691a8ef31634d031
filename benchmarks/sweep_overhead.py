"""Cost of a sweep apart from training: CPU per trial and peers, planning, status, planning again.

python benchmarks/sweep_overhead.py [TRIALS] [PLANNED]

CPU seconds include all processes that a command starts, also those that end shortly after it.
"A process per trial" is measured on FEW trials and multiplied, since these trials share nothing.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rows import Row, ratio_of, row_of, to_markdown

HERE = Path(__file__).parent
FEW = 5
SUBREAPER = 36  # prctl(2): orphans of our children become ours, so that their CPU is counted
RUN = """
if __name__ == "__main__":
    {before}
    import sys
    from clip_hparam.cli.hydra_app.app import main
    sys.exit(main())
"""
WARM = "from clip_hparam.launch.local.child import PRELOAD; PRELOAD.append('noop')"
AT_ONCE = "import noop; noop.at_once()"


class Cost(NamedTuple):
    """Wall and CPU seconds, and the largest process in MB."""

    wall: float
    cpu: float
    megabytes: float


def cost(words: list[str], folder: Path) -> Cost:
    """Run a command and return its cost with all child processes, or raise RuntimeError."""
    started = time.monotonic()
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    there = {**os.environ, "PYTHONPATH": path}  # where the forkserver finds noop
    process = subprocess.Popen(words, cwd=folder, env=there, stdout=subprocess.DEVNULL)
    cpu = megabytes = 0.0
    while True:
        try:
            pid, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            return Cost(time.monotonic() - started, cpu, megabytes)
        if pid == process.pid and status:
            raise RuntimeError(f"{' '.join(words)} ended with status {status}")
        cpu += used.ru_utime + used.ru_stime
        megabytes = max(megabytes, used.ru_maxrss / 1024)


def script(folder: Path, name: str, before: str) -> list[str]:
    """Write a script that runs lines of Python before `python sweep.py`, and return its command."""
    path = folder / f"{name}.py"
    path.write_text(RUN.format(before=before or "pass"))
    return [sys.executable, str(path)]


def of_trials(trials: int, folder: Path) -> list[Row]:
    """Return the CPU of n no-op trials: ours, Hydra's basic launcher, a process per trial."""
    noop = script(folder, "noop_sweep", WARM)
    one = script(folder, "noop_trial", "import noop")
    peer = [sys.executable, str(HERE / "peer_hydra.py"), "-m"]
    short = ["data.epoch_images=50", "epochs=1"]
    few, many = max(trials // 5, 1), trials
    ours = [
        cost([*noop, "-m", f"seeds={n}", f"min_lr={n}e-9", *short], folder) for n in (few, many)
    ]
    hydra = [cost([*peer, f"+x=range({n})"], folder) for n in (few, many)]
    alone = [cost([*one, f"seed={n}", "min_lr=5e-7", *short], folder) for n in range(FEW)]
    process = sum(each.cpu for each in alone) / FEW * trials
    marginal = [(b.cpu - a.cpu) / (many - few) for a, b in (ours, hydra)]
    what = f"sweep_overhead: {trials} no-op trials"
    ours_all, hydra_all = [ours[1].cpu], [hydra[1].cpu]
    further, of_process = [marginal[0]], [process / trials]
    return [
        row_of(f"{what}, all in", ours_all, "CPU s"),
        ratio_of(f"{what}, all in, Hydra", ours_all, hydra_all, "Hydra's basic launcher"),
        ratio_of(f"{what}, all in, processes", ours_all, [process], "a process per trial"),
        row_of(f"{what}, a further trial", [1e3 * marginal[0]], "CPU ms"),
        ratio_of(
            f"{what}, a further trial, Hydra", further, [marginal[1]], "Hydra's basic launcher"
        ),
        ratio_of(f"{what}, a further trial, processes", further, of_process, "a process per trial"),
    ]


def of_plans(planned: int, folder: Path) -> list[Row]:
    """Return the cost of a large sweep: planning, status, and planning when all trials are done."""
    lrs = ",".join(f"{n}e-6" for n in range(1, planned // 100 + 1))
    words = ["-m", f"lr={lrs}", "layer_decay=0.5,0.6,0.7,0.8,0.9", "seeds=20"]
    sweep = script(folder, "large", AT_ONCE)
    plain = script(folder, "plain", "")
    status = [sys.executable, "-c", "from clip_hparam.cli.main import main; main()", "status"]
    plan = cost([*plain, *words, "dry_run=true"], folder)
    cost([*sweep, *words], folder)
    statuses = [cost(status, folder) for _ in range(3)]
    again = [cost([*plain, *words], folder) for _ in range(2)]
    measured = {
        "planning (dry_run)": plan,
        "status, cold": statuses[0],
        "status, warm": min(statuses[1:]),
        "the same sweep when all is done": min(again),
    }
    return [
        row_of(f"sweep_overhead: {planned} trials, {name}, {unit}", [value], unit)
        for name, each in measured.items()
        for unit, value in (("s", each.wall), ("CPU s", each.cpu), ("MB", each.megabytes))
    ]


def main() -> list[Row]:
    trials, planned = (
        int(word) for word in [*sys.argv[1:], *("100", "10000")[len(sys.argv) - 1 :]]
    )
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    rows: list[Row] = []
    for measured, number in ((of_trials, trials), (of_plans, planned)):
        with tempfile.TemporaryDirectory() as folder:
            rows += measured(number, Path(folder))
    return rows


if __name__ == "__main__":
    print(to_markdown(main()))
