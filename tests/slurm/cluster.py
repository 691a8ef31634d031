"""A real Slurm for tests: brought up once a session, and no other is ever touched."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import wait_until

HERE = Path(__file__).parent
PORTS = range(21000, 31000, 20)  # first ports of clusters, away from Slurm's own
USED = (0, 2, 10, 11)  # ports of a cluster, from its first: controller, slurmdbd, nodes


@dataclass(frozen=True)
class Cluster:
    """Two nodes n1 and n2 of eight declared CPUs, partitions main and high (which preempts)."""

    home: Path
    accounting: bool
    port: int

    @property
    def conf(self) -> str:
        return str(self.home / "etc" / "slurm.conf")

    def __call__(self, *words: str) -> str:
        """Run one of Slurm's commands; what it prints."""
        environment = {**os.environ, "SLURM_CONF": self.conf}
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def states(self) -> dict[str, str]:
        """State of each job that squeue knows, by its id."""
        lines = self("squeue", "-h", "-r", "-t", "all", "-o", "%F_%K %T").splitlines()
        return dict(line.split() for line in lines)

    def wait_for(self, job: str, *states: str, seconds: float = 60) -> None:
        wait_until(lambda: self.states().get(job) in states, seconds)

    def ready(self) -> None:
        """No job is left and both nodes take new ones."""
        self("scancel", "-u", "root")
        wait_until(lambda: not self("squeue", "-h", "-t", "R,PD,CG").strip(), 60)
        down = self("sinfo", "-h", "-N", "-t", "down,drain", "-o", "%N").split()
        for node in set(down):
            self("scontrol", "update", f"NodeName={node}", "State=RESUME")
        wait_until(lambda: len(self("sinfo", "-h", "-N", "-t", "idle", "-p", "main").split()) >= 8)

    @contextmanager
    def without_controller(self) -> Iterator[None]:
        """Its controller is down while the block runs, and comes back with all it knew."""
        pid = int((self.home / "run" / "slurmctld.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.1)
        try:
            yield
        finally:
            self.bring_up()

    def bring_up(self) -> None:
        """Start what does not run."""
        asked = {"SLURM_UP_ACCT": str(int(self.accounting)), "SLURM_UP_PORT": str(self.port)}
        done = subprocess.run(
            [HERE / "slurm_up.sh", self.home],
            env={**os.environ, **asked},
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def cluster(home: Path, accounting: bool) -> Iterator[Cluster]:
    """A Slurm in `home`; what was started, and only that, is stopped again.

    In CI one that does not come up is a failure; elsewhere, without root, it is skipped.
    """
    if os.getuid() and "CI" not in os.environ:
        pytest.skip("a Slurm of one's own needs root")
    one = Cluster(home, accounting, next(port for port in random.sample(PORTS, 100) if free(port)))
    try:
        one.bring_up()
        yield one
    finally:
        subprocess.run([HERE / "slurm_down.sh", home, "--purge"], timeout=120, check=True)


def free(port: int) -> bool:
    """Whether a cluster can have its ports from here on."""
    for offset in USED:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + offset)) == 0:
                return False
    return True
