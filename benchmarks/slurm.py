"""Load that a sweep puts on a Slurm cluster and its driver, and hydra-submitit-launcher's.

python benchmarks/slurm.py [PEER_PYTHON]    prints the Markdown tables for RESULTS.md

PEER_PYTHON is the interpreter of an environment with hydra-core and hydra-submitit-launcher; it
needs no torch. The benchmark starts its own test clusters (tests/support) and must run as root.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MANY, FEW = 1000, 8
FOLLOWED = 20.0  # seconds
PATIENCE = 60.0  # seconds for a driver to notice a death
COMMANDS = ("sbatch", "squeue", "sacct", "scontrol")
COUNTED = '#!/bin/sh\necho {name} >> {log}\nPATH=${{PATH#*:}} exec {name} "$@"\n'
SLURM = ("-m", "hydra/launcher=submitit_slurm")
LATER = "+hydra.launcher.additional_parameters.begin=now+7200"


@dataclass(frozen=True)
class Stack:
    """A driver of sweeps: its command, and the arguments for many short or few long trials."""

    name: str
    command: Sequence[str]
    trials: Callable[[int], Sequence[str]]
    long: Sequence[str]
    victim: Callable[[Path], int | None]
    noticed: Callable[[Path, subprocess.Popen[bytes]], bool]


@dataclass(frozen=True)
class Cluster:
    """A Slurm cluster for this run; it counts the calls of its commands."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "SLURM_CONF": str(self.folder / "slurm" / "etc" / "slurm.conf")}

    def count_calls(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        for name in COMMANDS:
            path = self.folder / "bin" / name
            path.write_text(COUNTED.format(name=name, log=self.folder / "calls"))
            path.chmod(0o755)

    def calls(self) -> list[str]:
        log = self.folder / "calls"
        return log.read_text().split() if log.exists() else []

    def start(self, words: Sequence[str], cwd: Path) -> subprocess.Popen[bytes]:
        cwd.mkdir(exist_ok=True)
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        with (cwd / "driver.log").open("a") as log:
            return subprocess.Popen(
                words,
                cwd=cwd,
                env={**self.environment, "PATH": path, "STARTED": str(cwd)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def jobs(self) -> int:
        words = ("squeue", "-h", "-r", "-t", "PD,R", "-o", "%A")
        done = subprocess.run(words, env=self.environment, capture_output=True, check=True)
        return len(done.stdout.split())

    def clear(self) -> None:
        subprocess.run(("scancel", "-u", "root"), env=self.environment, check=True)
        seconds_until(lambda: not self.jobs(), 60)


@contextmanager
def cluster(accounting: bool) -> Iterator[Cluster]:
    scripts = ROOT / "tests" / "support"
    with tempfile.TemporaryDirectory() as folder:
        one = Cluster(Path(folder))
        one.count_calls()
        asked = {"SLURM_UP_ACCT": str(int(accounting)), "SLURM_UP_PORT": "31500"}
        home = one.folder / "slurm"
        subprocess.run([scripts / "slurm_up.sh", home], env=os.environ | asked, check=True)
        try:
            yield one
        finally:
            subprocess.run([scripts / "slurm_down.sh", home, "--purge"], check=True)


def seconds_until(condition: Callable[[], bool], patience: float) -> float:
    """Return the seconds until the condition is true; infinity after `patience` seconds."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > patience:
            return float("inf")
        time.sleep(0.05)
    return time.monotonic() - started


def memory(process: subprocess.Popen[bytes]) -> float:
    """Return the peak resident memory of a process, MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)


def end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # the process has ended already
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def of_many(slurm: Cluster, stack: Stack) -> str:
    """Submit MANY trials and follow them for FOLLOWED seconds; return the table cells."""
    before = len(slurm.calls())
    driver = slurm.start([*stack.command, *stack.trials(MANY), LATER], slurm.folder / stack.name)
    submitted = seconds_until(lambda: slurm.jobs() >= MANY, 300)
    sent = slurm.calls()[before:].count("sbatch")
    time.sleep(2)
    before = len(slurm.calls())
    time.sleep(FOLLOWED)
    asked = len(slurm.calls()) - before
    used = memory(driver)
    end(driver)
    slurm.clear()
    return f"{submitted:.1f} s | {sent} | {asked / FOLLOWED:.2f} | {used:.0f} MB"


def of_a_restart(slurm: Cluster, stack: Stack) -> str:
    """Kill the driver of FEW trials, start it again, and return how many jobs it resubmits."""
    words, folder = [*stack.command, *stack.trials(FEW), LATER], slurm.folder / f"{stack.name}_few"
    driver = slurm.start(words, folder)
    seconds_until(lambda: slurm.jobs() >= FEW, 120)
    time.sleep(2)
    end(driver)
    driver = slurm.start(words, folder)
    seconds_until(lambda: slurm.jobs() > FEW, 30)
    again = slurm.jobs() - FEW
    end(driver)
    slurm.clear()
    return f"{again} of {FEW}"


def of_a_death(slurm: Cluster, stack: Stack) -> str:
    """Kill all processes of a trial and return the time until its driver notices."""
    folder = slurm.folder / f"{stack.name}_death"
    driver = slurm.start([*stack.command, *stack.long], folder)
    seconds_until(lambda: stack.victim(folder) is not None, 120)
    os.killpg(os.getpgid(stack.victim(folder) or 0), signal.SIGKILL)
    seconds = seconds_until(lambda: stack.noticed(folder, driver), PATIENCE)
    end(driver)
    slurm.clear()
    return f"{seconds:.0f} s" if seconds < PATIENCE else f"not in {PATIENCE:.0f} s"


def started(folder: Path) -> int | None:
    """Return the pid of one of our trials that has finished an epoch, or None."""
    for path in folder.glob("runs/*/metrics.jsonl"):
        return int(json.loads((path.parent / "status.json").read_text())["pid"])
    return None


def ours() -> Stack:
    return Stack(
        "clip-hparam",
        [sys.executable, str(ROOT / "sweep.py"), *SLURM, "data.epoch_images=100"],
        lambda trials: [f"seeds={trials}", "epochs=1"],
        ["seeds=1", "epochs=5000", "retries=0"],
        started,
        lambda folder, driver: any(folder.glob("runs/*/failure.json")),
    )


def peer(python: str) -> Stack:
    return Stack(
        "hydra-submitit-launcher",
        [python, str(ROOT / "benchmarks" / "peer_slurm.py"), *SLURM],
        lambda trials: [f"+x=range({trials})"],
        ["+x=0", "+seconds=600"],
        lambda folder: int(path.read_text()) if (path := folder / "pid").exists() else None,
        lambda folder, driver: driver.poll() is not None,
    )


def main() -> None:
    stacks = [ours(), *map(peer, sys.argv[1:2])]
    rows: dict[str, list[str]] = {stack.name: [] for stack in stacks}
    for accounting in (False, True):
        with cluster(accounting) as slurm:
            for stack in stacks:
                rows[stack.name].append(of_a_death(slurm, stack))
                if accounting:
                    rows[stack.name] += [of_many(slurm, stack), of_a_restart(slurm, stack)]
                print(stack.name, rows[stack.name], file=sys.stderr)
    print(
        "| | death noticed, no accounting | with accounting | 1,000 trials submitted | sbatch |"
        " calls a second while following | driver | driver killed: sent again |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
