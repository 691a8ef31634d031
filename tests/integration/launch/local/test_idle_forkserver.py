"""A forkserver, 3 CPU-s and 770 MB, is started only where trials fork from it."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from support.cli import SHORT, Done, records, start, sweep

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local import processes
from clip_hparam.planning.estimates.cost import TrialCost

SEARCH = ("-m", "sweeps=search", *SHORT, "hydra.sweeper.n_trials=2")
ARGUMENTS_ADDRESS = 45  # field 48 of /proc/PID/stat, counted after the name of the program


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[TrialSpec]:
    """Return the list of trials for which a forkserver is asked for; none is started."""
    asked: list[TrialSpec] = []
    monkeypatch.setattr(processes, "start_forkserver", lambda spec, trials=1: asked.append(spec))
    return asked


@pytest.mark.parametrize(
    "words",
    [SHORT, ("-m", "seeds=2", "hydra/launcher=inline", *SHORT), (*SEARCH, "hydra/launcher=inline")],
    ids=["single trial", "inline sweep", "inline search"],
)
def test_trials_in_this_process_start_no_forkserver(
    words: tuple[str, ...], started: list[TrialSpec], tmp_path: Path
) -> None:
    done: Done = sweep(*words, cwd=tmp_path)
    assert done.code == 0, done.err
    assert records(tmp_path)
    assert not started


@pytest.mark.parametrize(("forked", "servers"), [(True, 1), (False, 0)])
def test_probe_forks_only_from_the_forkserver_of_the_trials(
    forked: bool, servers: int, started: list[TrialSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[object] = []

    class Pool:
        def __init__(self, workers: int, mp_context: object) -> None:
            contexts.append(mp_context)

        def __enter__(self) -> "Pool":
            return self

        def __exit__(self, *error: object) -> None:
            return

        def submit(self, function: Callable[..., TrialCost], *words: object) -> "Pool":
            return self

        def result(self) -> None:
            return

    monkeypatch.setattr(processes, "ProcessPoolExecutor", Pool)
    processes.time_in_subprocess(TrialSpec(Recipe(), Machine()), forked)
    assert len(started) == servers
    assert [getattr(context, "_name", None) for context in contexts] == [
        None if forked else "spawn"
    ]


def forkservers(session: int) -> set[bytes]:
    """Return a mark of each forkserver of a session, which its forks share.

    The mark is the address of the arguments: the kernel draws it for each program that starts.
    """
    marks: set[bytes] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_server = b"multiprocessing.forkserver" in (folder / "cmdline").read_bytes()
            if is_server and os.getsid(int(folder.name)) == session:
                fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
                marks.add(fields[ARGUMENTS_ADDRESS])
    return marks


def test_workers_of_a_search_start_no_forkserver_of_their_own(tmp_path: Path) -> None:
    driver = start(*SEARCH, "workers=2", cwd=tmp_path)
    seen: set[bytes] = set()
    while driver.poll() is None:
        seen |= forkservers(driver.pid)
        time.sleep(0.05)
    _, errors = driver.communicate()
    assert driver.returncode == 0, errors
    assert len(records(tmp_path)) == 2
    assert len(seen) == 1
