"""Local workers: processes of its own for each trial, so that a crash of one touches no other."""

import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Any

from clip_hparam.config.knob import AUTO
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import Capacity, JobHandle, LaunchContext, state_on_record
from clip_hparam.launch.local import processes
from clip_hparam.launch.local.child import SAVE_SIGNAL, rank_main
from clip_hparam.launch.local.search_worker import worker_main
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.records.lock import FolderLockedError, lock_folder
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE

CANCEL_SECONDS = 10.0  # seconds for all trials together to say that they were cancelled


class WorkerPool:
    """Keeps up to `workers` trials running; a trial whose process died is tried again."""

    survives_driver = False

    def __init__(self, order: LaunchContext) -> None:
        self.driver = order.driver
        self.free: deque[str | None] = deque()
        self.jobs: dict[str, TrialSpec] = {}
        self.waiting: deque[str] = deque()
        self.running: dict[str, list[BaseProcess]] = {}
        self.gpus: dict[str, str | None] = {}
        self.attempts: dict[str, int] = {}
        self.ended: dict[str, str] = {}
        self.stopped = False

    def capacity(self, jobs: Sequence[TrialSpec]) -> Capacity:
        device = jobs[0].machine.device if jobs else AUTO
        count = len(gpu_slots(self.driver, device))
        return Capacity(count, f"on {count} workers")

    def submit(self, jobs: Sequence[TrialSpec]) -> list[JobHandle]:
        """Queue jobs and start as many as there are places."""
        if jobs and not self.jobs:
            processes.start_forkserver(jobs[0], trials=len(jobs))
            self.free.extend(gpu_slots(self.driver, jobs[0].machine.device))
        for job in jobs:
            self.jobs[job.trial_id] = job
            self.waiting.append(job.trial_id)
        self._fill()
        return [JobHandle(job.trial_id, "workers", "") for job in jobs]

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, str]:
        for trial_id, ranks in list(self.running.items()):
            if not ranks[0].is_alive():
                self._reap(trial_id, ranks)
        self._fill()
        return {handle.trial_id: self._state(handle.trial_id) for handle in handles}

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        """Nothing more starts; what runs is ended and keeps its last checkpoint."""
        wanted = {handle.trial_id for handle in handles}
        self.waiting = deque(trial_id for trial_id in self.waiting if trial_id not in wanted)
        ended = {name: self.running[name] for name in self.running.keys() & wanted}
        for ranks in ended.values():
            ranks[0].terminate()
        deadline = time.monotonic() + CANCEL_SECONDS
        for trial_id, ranks in ended.items():
            ranks[0].join(max(0.0, deadline - time.monotonic()))
            processes.kill(ranks)
            self._put_on_record(trial_id, "cancelled", "interrupted, and killed: it did not answer")

    def stop(self) -> None:
        """Nothing more starts; what runs saves its state and ends, "lost" to who polls."""
        self.stopped = True
        self.waiting.clear()
        for first, *_ in self.running.values():
            if first.pid is not None and first.is_alive():
                os.kill(first.pid, SAVE_SIGNAL)

    def _fill(self) -> None:
        while self.waiting and self.free:
            self._start(self.waiting.popleft())

    def _start(self, trial_id: str) -> None:
        job, gpus = self.jobs[trial_id], self.free.popleft()
        self.gpus[trial_id] = gpus
        entry = worker_main if job.worker else rank_main
        self.running[trial_id] = processes.start_ranks(job, gpus, entry)
        self.attempts[trial_id] = self.attempts.get(trial_id, 0) + 1

    def _reap(self, trial_id: str, ranks: list[BaseProcess]) -> None:
        """Take the end of a trial: a death that left no word of its own is put on record."""
        ranks[0].join()
        processes.kill(ranks)
        del self.running[trial_id]
        self.free.append(self.gpus.pop(trial_id))
        if self.stopped or state_on_record(self.jobs[trial_id]) != "lost":
            return
        if self.attempts[trial_id] <= self.driver.retries:
            self.waiting.append(trial_id)
            return
        code = ranks[0].exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        self._put_on_record(trial_id, "lost", f"the process died: {how}", exit_code=code)

    def _put_on_record(self, trial_id: str, state: str, message: str, **facts: Any) -> None:
        """The end of a trial whose process is gone and left no word of its own.

        A trial that another sweep is running is left to that one.
        """
        record = Record(self.jobs[trial_id].machine.runs, trial_id)
        with suppress(FolderLockedError), lock_folder(record.folder):
            if not record.result() and record.status().get("state") in (None, *LIVE):
                record.write_failure(state, state, message, **facts)

    def _state(self, trial_id: str) -> str:
        if trial_id in self.running:
            return "running"
        if trial_id in self.waiting:
            return "queued"
        if trial_id not in self.ended:
            self.ended[trial_id] = state_on_record(self.jobs[trial_id])
        return self.ended[trial_id]
