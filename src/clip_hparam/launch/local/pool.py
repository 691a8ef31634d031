"""hydra/launcher=workers: trials in local processes, so that a crash of one ends no other."""

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Any

from clip_hparam.config.knob import AUTO
from clip_hparam.config.text.count import counted
from clip_hparam.config.worker_spec import LaunchSpec, WorkerSpec
from clip_hparam.launch.base import Capacity, JobHandle, LaunchContext, state_on_record
from clip_hparam.launch.local import processes
from clip_hparam.launch.local.child import SAVE_SIGNAL, rank_main
from clip_hparam.launch.local.exit_cause import exit_cause, record_lost_ranks
from clip_hparam.launch.local.search_worker import worker_main
from clip_hparam.launch.local.start_order import longest_first
from clip_hparam.launch.local.traced_trials import trials_to_trace
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.records.lock import FolderLockedError, lock_folder
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState

NOTE_SECONDS = 2.0
CANCEL_SECONDS = 60.0  # in which all cancelled trials together may save their state


class WorkerPool:
    """Runs up to `workers` trials at a time, and retries a trial whose process was killed."""

    survives_driver = False

    def __init__(self, context: LaunchContext) -> None:
        self.driver = context.driver
        self.free_slots: deque[str | None] = deque()
        self.at_once = 1
        self.specs: dict[str, LaunchSpec] = {}
        self.waiting: deque[str] = deque()
        self.running: dict[str, list[BaseProcess]] = {}
        self.slots: dict[str, str | None] = {}
        self.attempts: dict[str, int] = {}
        self.ended: dict[str, TrialState] = {}
        self.stopped = False

    def capacity(self, specs: Sequence[LaunchSpec]) -> Capacity:
        device = specs[0].machine.device if specs else AUTO
        count = len(gpu_slots(self.driver, device))
        return Capacity(count, f"on {counted(count, 'worker')}")

    def submit(self, specs: Sequence[LaunchSpec]) -> list[JobHandle]:
        """Queue trials, the longest first, and start as many as there are free slots."""
        if specs and not self.specs:
            processes.start_forkserver(specs[0], len(specs), trials_to_trace(specs))
            self.free_slots.extend(gpu_slots(self.driver, specs[0].machine.device))
            self.at_once = len(self.free_slots)
        self.specs |= {spec.trial_id: spec for spec in specs}
        self.waiting.extend(spec.trial_id for spec in longest_first(specs))
        self._start_waiting()
        return [JobHandle(spec.trial_id, "workers", "") for spec in specs]

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, TrialState]:
        """Return the state of each trial, after ended processes were replaced by new ones."""
        for trial_id, ranks in list(self.running.items()):
            if not ranks[0].is_alive():
                self._reap(trial_id, ranks)
        self._start_waiting()
        return {handle.trial_id: self._state(handle.trial_id) for handle in handles}

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        """Ask these trials to save their state and to exit, and start none of them.

        They are killed after CANCEL_SECONDS, or on another Ctrl-C.
        """
        cancelled = {handle.trial_id for handle in handles}
        self.waiting = deque(trial_id for trial_id in self.waiting if trial_id not in cancelled)
        ended = {name: self.running[name] for name in self.running.keys() & cancelled}
        for first, *_ in ended.values():
            first.terminate()
            if first.pid is not None and first.is_alive():
                os.kill(first.pid, signal.SIGCONT)  # a stopped process cannot end
        with suppress(KeyboardInterrupt):
            _wait_for_ends([ranks[0] for ranks in ended.values()])
        message = "interrupted, and killed before its state was saved"
        for trial_id, ranks in ended.items():
            processes.kill(ranks)
            self._record_end(trial_id, TrialState.CANCELLED, message)

    def stop(self) -> None:
        """Ask running trials to save their state and exit, after which `poll` returns LOST."""
        self.stopped = True
        self.waiting.clear()
        for first, *_ in self.running.values():
            if first.pid is not None and first.is_alive():
                os.kill(first.pid, SAVE_SIGNAL)

    def _start_waiting(self) -> None:
        while self.waiting and self.free_slots:
            self._start(self.waiting.popleft())

    def _start(self, trial_id: str) -> None:
        spec, gpus = self.specs[trial_id], self.free_slots.popleft()
        self.slots[trial_id] = gpus
        entry = worker_main if isinstance(spec, WorkerSpec) else rank_main
        self.running[trial_id] = processes.start_ranks(spec, gpus, entry, self.at_once)
        self.attempts[trial_id] = self.attempts.get(trial_id, 0) + 1

    def _reap(self, trial_id: str, ranks: list[BaseProcess]) -> None:
        """Free the slot of an ended trial; retry it, or record it as lost, if it was killed."""
        ranks[0].join()
        codes = [rank.exitcode for rank in ranks]  # before the others are killed
        processes.kill(ranks)
        del self.running[trial_id]
        self.free_slots.append(self.slots.pop(trial_id))
        if self.stopped or state_on_record(self.specs[trial_id]) is not TrialState.LOST:
            return
        if self.attempts[trial_id] <= self.driver.retries:
            self.waiting.append(trial_id)
            return
        code, spec, at_once = codes[0], self.specs[trial_id], len(self.running) + 1
        message = f"the process ended unexpectedly: {exit_cause(code, spec, at_once)}"
        facts = {"signal": -code} if code is not None and code < 0 else {}
        self._record_end(trial_id, TrialState.LOST, message, exit_code=code, **facts)
        record_lost_ranks(codes, spec, at_once)

    def _record_end(self, trial_id: str, state: TrialState, message: str, **facts: Any) -> None:
        """Record the end of a trial whose process exited without recording it.

        A trial that another sweep runs meanwhile is left alone.
        """
        record = Record(self.specs[trial_id].machine.runs, trial_id)
        with suppress(FolderLockedError), lock_folder(record.folder):
            if not record.result() and record.status().get("state") in (None, *LIVE):
                record.write_failure(state, state, message, **facts)

    def _state(self, trial_id: str) -> TrialState:
        if trial_id in self.running:
            return TrialState.RUNNING
        if trial_id in self.waiting:
            return TrialState.QUEUED
        if trial_id not in self.ended:
            self.ended[trial_id] = state_on_record(self.specs[trial_id])
        return self.ended[trial_id]


def _wait_for_ends(running: Sequence[BaseProcess]) -> None:
    """Wait until these processes have ended, for at most CANCEL_SECONDS; print a note after 2 s."""
    started = time.monotonic()
    for seconds in (NOTE_SECONDS, CANCEL_SECONDS):
        for process in running:
            process.join(max(0.0, started + seconds - time.monotonic()))
        left = sum(process.is_alive() for process in running)
        if left and seconds == NOTE_SECONDS:
            note = f"saving the state of {counted(left, 'trial')}: another Ctrl-C stops at once"
            print(note, file=sys.stderr, flush=True)
