"""Cost of a sweep apart from training: CPU per trial and peers, planning, status, planning again.

python benchmarks/sweep_overhead.py [TRIALS] [PLANNED]    prints the Markdown rows for RESULTS.md

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


def of_trials(trials: int, folder: Path) -> None:
    """Print the CPU of n no-op trials: ours, Hydra's basic launcher, a process per trial."""
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
    print(f"| {trials} no-op trials | CPU, all in | CPU a further trial | ours is less by |")
    print("|---|---|---|---|")
    print(f"| warm workers | {ours[1].cpu:.1f} s | {1e3 * marginal[0]:.0f} ms | |")
    print(
        f"| Hydra, basic launcher | {hydra[1].cpu:.1f} s | {1e3 * marginal[1]:.0f} ms |"
        f" {hydra[1].cpu / ours[1].cpu:.1f} x, a further trial {marginal[1] / marginal[0]:.1f} x |"
    )
    print(
        f"| a process a trial ({FEW} measured) | {process:.0f} s | {process / trials:.2f} s |"
        f" {process / ours[1].cpu:.0f} x, a further trial {process / trials / marginal[0]:.0f} x |"
    )


def of_plans(planned: int, folder: Path) -> None:
    """Print the cost of a large sweep: planning, status, and planning when all trials are done."""
    lrs = ",".join(f"{n}e-6" for n in range(1, planned // 100 + 1))
    words = ["-m", f"lr={lrs}", "layer_decay=0.5,0.6,0.7,0.8,0.9", "seeds=20"]
    sweep = script(folder, "large", AT_ONCE)
    plain = script(folder, "plain", "")
    status = [sys.executable, "-c", "from clip_hparam.cli.main import main; main()", "status"]
    plan = cost([*plain, *words, "dry_run=true"], folder)
    cost([*sweep, *words], folder)
    statuses = [cost(status, folder) for _ in range(3)]
    again = [cost([*plain, *words], folder) for _ in range(2)]
    print(f"\n| {planned} trials | wall | CPU | memory |\n|---|---|---|---|")
    for name, each in (
        ("planning (dry_run)", plan),
        ("status, cold", statuses[0]),
        ("status, warm", min(statuses[1:])),
        ("the same sweep when all is done", min(again)),
    ):
        print(f"| {name} | {each.wall:.1f} s | {each.cpu:.1f} s | {each.megabytes:.0f} MB |")


def main() -> None:
    trials, planned = (
        int(word) for word in [*sys.argv[1:], *("100", "10000")[len(sys.argv) - 1 :]]
    )
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    for measured, number in ((of_trials, trials), (of_plans, planned)):
        with tempfile.TemporaryDirectory() as folder:
            measured(number, Path(folder))


if __name__ == "__main__":
    main()
