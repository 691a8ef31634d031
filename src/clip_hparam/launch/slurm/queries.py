"""The states of jobs in Slurm, from squeue, sacct or scontrol. No third-party package.

squeue is called first: it needs no accounting, and after a requeue it shows the current attempt,
where sacct still shows the end of the previous one. squeue drops ended jobs after MinJobAge (300 s
by default); sacct is called for these, if Slurm has accounting.
"""

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from clip_hparam.launch.slurm.commands import SchedulerError, output_lines, parse_fields
from clip_hparam.launch.slurm.job_array import JobArray

QUERY_PERIOD_SECONDS = 2.0  # between two calls, for any number of jobs
PENDING_STATES = (
    "PENDING",
    "REQUEUED",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "SPECIAL_EXIT",
    "RESV_DEL_HOLD",
)
ACTIVE_STATES = (
    *("RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT"),
    *("RESIZING", "PREEMPTED", "NODE_FAIL"),
)
"""A job that is preempted or has lost its node will be requeued or removed soon."""

UNSATISFIABLE_REASONS = re.compile(
    r"BadConstraints|PartitionConfig|PartitionNodeLimit|PartitionTimeLimit|MaxMemPerLimit"
    r"|DependencyNeverSatisfied|InvalidAccount|InvalidQOS|AccountNotAllowed|QOSNotAllowed"
    r"|(QOS|Assoc)(Max\w*Per(Job|Node)|Min)\w*|Job's (account|QOS) not permitted.*"
)
"""Reasons for which a job waits until a person changes it or the cluster: squeue(1)."""


@dataclass(frozen=True)
class SlurmJobState:
    """The state of a job in Slurm, and why it waits.

    code: exit code and signal of the job, as "137:0".
    """

    state: str
    reason: str = ""
    code: str = ""

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING_STATES

    @property
    def is_held(self) -> bool:
        return self.is_pending and ("held" in self.reason.lower() or self.is_unsatisfiable)

    @property
    def is_unsatisfiable(self) -> bool:
        return self.is_pending and bool(UNSATISFIABLE_REASONS.fullmatch(self.reason))

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES


GONE = SlurmJobState("GONE")  # a job that no command lists
QueueSnapshot = dict[str, SlurmJobState]


@dataclass
class SlurmQueue:
    """Queries all jobs of some arrays at once, at most every QUERY_PERIOD_SECONDS.

    snapshot: the last answer; queried: when it was received, on the monotonic clock.
    warnings: those printed so far; each is printed once.
    accounting: False once sacct has failed.
    """

    snapshot: QueueSnapshot = field(default_factory=dict)
    queried: float = float("-inf")
    warnings: set[str] = field(default_factory=set)
    accounting: bool = True

    def query(self, arrays: Sequence[JobArray]) -> QueueSnapshot:
        """Return the state of each job by its id; GONE if no command lists the job.

        While no command responds, the last answer is returned.

        Raises: SchedulerError if no command has ever responded.
        """
        if time.monotonic() - self.queried < QUERY_PERIOD_SECONDS:
            return self.snapshot
        for source in (self._query_squeue_and_sacct, _query_scontrol):
            try:
                self.snapshot = source(arrays)
            except SchedulerError as error:
                self._warn(str(error))
            else:
                self.queried = time.monotonic()
                return self.snapshot
        self.queried = time.monotonic()
        if not self.snapshot:
            raise SchedulerError("Slurm does not respond: is its controller up (scontrol ping)?")
        return self.snapshot

    def _query_squeue_and_sacct(self, arrays: Sequence[JobArray]) -> QueueSnapshot:
        """Query squeue, and sacct for jobs that squeue has dropped or if squeue fails."""
        try:
            known = _query_squeue(arrays)
        except SchedulerError as error:
            self._warn(str(error))
            return _query_sacct(arrays)
        missing = [array for array in arrays if not _job_ids(array) <= known.keys()]
        if missing and self.accounting:
            try:
                known = _query_sacct(missing) | known
            except SchedulerError as error:
                self.accounting = False
                if "accounting storage is disabled" not in str(error):
                    self._warn(str(error))
        return {name: GONE for array in arrays for name in _job_ids(array)} | known

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            print(f"note: {sentence}", file=sys.stderr)
        self.warnings.add(sentence)


def find_array_id(array: JobArray) -> str | None:
    """Return the job id of an array without job_id.json; None if it is not in the queue.

    Raises: SchedulerError if squeue does not respond.
    """
    lines = output_lines(
        "squeue", "-h", "-r", "-t", "all", "--name", array.name, "-O", "ArrayJobID:16"
    )
    return next((line.strip() for line in lines if line[:1].isdigit()), None)


def _query_squeue(arrays: Sequence[JobArray]) -> QueueSnapshot:
    columns = "ArrayJobID:16,ArrayTaskID:16,State:20,exit_code:12,Reason:128"
    names = ",".join(array.name for array in arrays)
    users = ",".join({str(array.user) for array in arrays})
    lines = output_lines(
        *("squeue", "-h", "-r", "-t", "all", "-u", users, "--name", names, "-O", columns)
    )
    snapshot: QueueSnapshot = {}
    for line in lines:
        if not line[:1].isdigit():  # with SLURM_CLUSTERS, the name of the cluster
            continue
        job, task, state, status, *reason = line.split()
        code = f"{int(status) >> 8}:{int(status) & 127}"  # squeue shows what wait(2) returns
        snapshot[f"{job}_{task}"] = SlurmJobState(state, " ".join(reason), code)
    return snapshot


def _query_sacct(arrays: Sequence[JobArray]) -> QueueSnapshot:
    jobs = ",".join(filter(None, (array.job_id for array in arrays)))
    lines = output_lines("sacct", "-n", "-X", "-P", "-j", jobs, "-o", "JobID,State,ExitCode")
    return {name: state for line in lines for name, state in _parse_sacct_row(line)}


def _parse_sacct_row(line: str) -> Iterator[tuple[str, SlurmJobState]]:
    """Yield the jobs of a row; a row may list several pending tasks, as 12_[3-5,7%4]."""
    name, state, code = line.split("|")
    job_state = SlurmJobState(state.split()[0], "", code)  # first word of "CANCELLED by 0"
    job, _, tasks = name.partition("_")
    for part in tasks.strip("[]").partition("%")[0].split(","):
        first, _, last = part.partition("-")
        for task in range(int(first), int(last or first) + 1) if first else ():
            yield f"{job}_{task}", job_state


def _query_scontrol(arrays: Iterable[JobArray]) -> QueueSnapshot:
    """Call scontrol once for each array."""
    snapshot: QueueSnapshot = {}
    for job_id in filter(None, (array.job_id for array in arrays)):
        for line in output_lines("scontrol", "-o", "show", "job", job_id):
            facts = parse_fields(line)
            state = SlurmJobState(facts["JobState"], facts["Reason"], facts["ExitCode"])
            for name, _ in _parse_sacct_row(f"{job_id}_[{facts.get('ArrayTaskId', '')}]|PENDING|"):
                snapshot[name] = state
    return snapshot


def _job_ids(array: JobArray) -> set[str]:
    job_id = array.job_id
    return set() if job_id is None else {f"{job_id}_{task}" for task in range(len(array.packs))}
