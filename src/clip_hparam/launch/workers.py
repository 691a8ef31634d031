"""Local workers: a process a trial, forked from a warm single-threaded server.

The server (multiprocessing's forkserver) imports torch, timm and open_clip once, so a trial costs
tens of milliseconds instead of seconds, and a crash of one touches no other.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess

from clip_hparam.job import Job
from clip_hparam.launch import Handle, state_on_record
from clip_hparam.launch.child import PRELOAD, run
from clip_hparam.records import Record

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Workers:
    """Keeps up to `workers` trials running; a trial whose process died is tried again."""

    def __init__(self, workers: int = 1, retries: int = 1) -> None:
        self.workers, self.retries = workers, retries
        self.jobs: dict[str, Job] = {}
        self.waiting: deque[str] = deque()
        self.running: dict[str, ForkServerProcess] = {}
        self.attempts: dict[str, int] = {}
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOAD)

    def submit(self, jobs: Sequence[Job]) -> list[Handle]:
        """Queue jobs and start as many as there are workers."""
        for job in jobs:
            self.jobs[job.trial_id] = job
            self.waiting.append(job.trial_id)
        self._fill()
        return [Handle(job.trial_id, "workers", "") for job in jobs]

    def poll(self, handles: Sequence[Handle]) -> dict[str, str]:
        for trial_id, process in list(self.running.items()):
            if not process.is_alive():
                self._reap(trial_id, process)
        self._fill()
        return {handle.trial_id: self._state(handle.trial_id) for handle in handles}

    def cancel(self, handles: Sequence[Handle]) -> None:
        """Nothing more starts; what runs is ended and keeps its last checkpoint."""
        wanted = {handle.trial_id for handle in handles}
        self.waiting = deque(trial_id for trial_id in self.waiting if trial_id not in wanted)
        ended = [process for trial_id, process in self.running.items() if trial_id in wanted]
        for process in ended:
            process.terminate()
        for process in ended:
            process.join()

    def _fill(self) -> None:
        while self.waiting and len(self.running) < self.workers:
            self._start(self.waiting.popleft())

    def _start(self, trial_id: str) -> None:
        for name in ONE_THREAD:
            os.environ.setdefault(name, "1")
        process = self.context.Process(target=run, args=(self.jobs[trial_id].to_dict(),))
        process.start()
        self.running[trial_id] = process
        self.attempts[trial_id] = self.attempts.get(trial_id, 0) + 1

    def _reap(self, trial_id: str, process: ForkServerProcess) -> None:
        """Take the end of a process: a death that left no word of its own is put on record."""
        process.join()
        del self.running[trial_id]
        if self._state(trial_id) != "lost":
            return
        if self.attempts[trial_id] <= self.retries:
            self.waiting.append(trial_id)
            return
        code = process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        record = Record(self.jobs[trial_id].machine.runs, trial_id)
        record.write_failure("lost", "lost", f"the process died: {how}", exit_code=code)

    def _state(self, trial_id: str) -> str:
        if trial_id in self.running:
            return "running"
        if trial_id in self.waiting:
            return "queued"
        return state_on_record(self.jobs[trial_id])
