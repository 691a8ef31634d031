"""A real Slurm on this computer, started once per session; other clusters are not touched."""

import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.cli import alive, wait_until

HERE = Path(__file__).parent
PORTS = range(21000, 31000, 20)  # first ports of clusters, away from Slurm's own
NODES = 3
USED = (0, 2, 10, 11, 12)  # ports of a cluster, from its first: controller, slurmdbd, nodes
RUN_AFTER_EXIT = 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; shift; exec "$@"'
"""Shell script that runs a command once a process has exited: stops the cluster after pytest."""


@dataclass(frozen=True)
class Cluster:
    """Nodes n1 to n3 of eight declared CPUs, partitions main and high (which preempts).

    kept: names of jobs that tests do not end, because they belong to the session.
    """

    home: Path
    accounting: bool
    port: int
    kept: set[str] = field(default_factory=set)

    @property
    def conf(self) -> str:
        return str(self.home / "etc" / "slurm.conf")

    def __call__(self, *words: str) -> str:
        """Run one of Slurm's commands and return its output."""
        environment = {**os.environ, "SLURM_CONF": self.conf}
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def resume_node(self, node: str) -> None:
        """Bring a node back; it is back already if it has registered again (ReturnToService=2)."""
        try:
            self("scontrol", "update", f"NodeName={node}", "State=RESUME")
        except AssertionError:
            states = self("sinfo", "-h", "-N", "-n", node, "-o", "%T").split()
            assert not any(state.startswith("down") for state in states), states

    def states(self) -> dict[str, str]:
        """Return the state of each job that squeue lists, by its id."""
        lines = self("squeue", "-h", "-r", "-t", "all", "-o", "%F_%K %T").splitlines()
        return dict(line.split() for line in lines)

    def waiting(self) -> list[str]:
        return [job for job, state in self.states().items() if state == "PENDING"]

    def wait_for(self, job: str, *states: str, seconds: float = 60) -> None:
        wait_until(lambda: self.states().get(job) in states, seconds)

    def make_idle(self) -> None:
        """End all jobs that are not kept, and wait until all nodes accept jobs."""
        for name in self._jobs() - self.kept:
            self("scancel", "--name", name)
        wait_until(lambda: self._jobs() <= self.kept, 60)
        down = self("sinfo", "-h", "-N", "-t", "down,drain", "-o", "%N").split()
        for node in set(down):
            self.resume_node(node)
        good = ("sinfo", "-h", "-N", "-t", "idle,mix", "-p", "main", "-o", "%N")
        wait_until(lambda: len(set(self(*good).split())) == NODES)

    def _jobs(self) -> set[str]:
        return set(self("squeue", "-h", "-t", "R,PD,CG", "-o", "%j").splitlines())

    @contextmanager
    def without_controller(self) -> Iterator[None]:
        """Stop the controller while the block runs; it restarts with its saved state."""
        with self._without("slurmctld"):
            yield

    @contextmanager
    def without_munge(self) -> Iterator[None]:
        """Stop the authentication daemon while the block runs."""
        with self._without("munged"):
            yield

    @contextmanager
    def _without(self, daemon: str) -> Iterator[None]:
        pid = int((self.home / "run" / f"{daemon}.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not alive(pid))
        try:
            yield
        finally:
            self.bring_up()

    def bring_up(self) -> None:
        """Start the daemons that do not run."""
        numbers = {"NODES": NODES, "ACCT": int(self.accounting), "PORT": self.port}
        asked = {f"SLURM_UP_{name}": str(number) for name, number in numbers.items()}
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
    """Start a Slurm in `home`, and stop its daemons after the block.

    Without root the test is skipped; in CI it fails.
    """
    if os.getuid() and "CI" not in os.environ:
        pytest.skip("starting a Slurm needs root")
    one = Cluster(home, accounting, next(port for port in random.sample(PORTS, 100) if free(port)))
    down = [str(HERE / "slurm_down.sh"), str(home), "--purge"]
    words = ["sh", "-c", RUN_AFTER_EXIT, "watch", str(os.getpid()), *down]
    watch = subprocess.Popen(words, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        one.bring_up()
        yield one
    finally:
        watch.kill()
        watch.wait()
        subprocess.run(down, timeout=120, check=True)


def free(port: int) -> bool:
    """Return whether the ports of a cluster are free, counted from its first."""
    for offset in USED:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + offset)) == 0:
                return False
    return True
