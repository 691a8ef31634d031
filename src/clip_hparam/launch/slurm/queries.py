"""What Slurm says of our jobs: squeue, else sacct, else scontrol. No third-party package.

squeue is asked first: it needs no accounting, and after a requeue it shows the job as it is now,
where sacct still shows how the attempt before ended. It forgets ended jobs after MinJobAge (300 s
by default); those are asked of sacct, where there is one.
"""

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from clip_hparam.launch.slurm.job_array import JobArray

QUERY_PERIOD_SECONDS = 2.0  # seconds between two calls, however many jobs there are
COMMAND_TIMEOUT_SECONDS = 10.0  # seconds for an answer
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
"""A job that was preempted or lost its node is about to be queued again, or to vanish."""


class SchedulerError(OSError):
    """Slurm cannot be asked at all; not the fault of a trial or of what was typed."""


@dataclass(frozen=True)
class SlurmJobState:
    """Slurm's word for a job; `code` is its exit code and the signal that ended it, as "137:0"."""

    state: str
    reason: str = ""
    code: str = ""

    @property
    def waits(self) -> bool:
        return self.state in PENDING_STATES

    @property
    def is_held(self) -> bool:
        return self.waits and "held" in self.reason.lower()

    @property
    def lives(self) -> bool:
        return self.state in ACTIVE_STATES


GONE = SlurmJobState("GONE")
QueueSnapshot = dict[str, SlurmJobState]


@dataclass
class SlurmQueue:
    """Asks for all jobs of some arrays at once, and remembers the answer for PERIOD seconds."""

    answer: QueueSnapshot = field(default_factory=dict)
    asked: float = float("-inf")
    told: set[str] = field(default_factory=set)
    accounting: bool = True

    def ask(self, arrays: Sequence[JobArray]) -> QueueSnapshot:
        """What is known of each job, by its id; one that nobody knows is GONE.

        While Slurm does not answer at all, the last answer stands. Raises SchedulerError if it
        never did.
        """
        if time.monotonic() - self.asked < QUERY_PERIOD_SECONDS:
            return self.answer
        for source in (self._queued, _query_scontrol):
            try:
                self.answer = source(arrays)
            except SchedulerError as error:
                self._warn(str(error))
            else:
                self.asked = time.monotonic()
                return self.answer
        self.asked = time.monotonic()
        if not self.answer:
            raise SchedulerError("Slurm does not answer: is its controller up (scontrol ping)?")
        return self.answer

    def _queued(self, arrays: Sequence[JobArray]) -> QueueSnapshot:
        """squeue, and sacct for what squeue has forgotten or if it does not answer."""
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
        """Once each."""
        if sentence not in self.told:
            print(f"note: {sentence}", file=sys.stderr)
        self.told.add(sentence)


def find_array_id(array: JobArray) -> str | None:
    """The id that Slurm gave an array whose driver could not write it down; None if it has none.

    Raises SchedulerError if Slurm cannot be asked.
    """
    lines = _output_lines(
        "squeue", "-h", "-r", "-t", "all", "--name", array.name, "-O", "ArrayJobID:16"
    )
    return lines[0].strip() if lines else None


def max_array_size() -> int:
    """Most tasks of one array here. Raises SchedulerError if Slurm cannot be asked."""
    for line in _output_lines("scontrol", "show", "config"):
        key, _, value = line.partition("=")
        if key.strip() == "MaxArraySize":
            return int(value)
    return 1001  # Slurm's default


def run_command(
    *words: str, patience: float = COMMAND_TIMEOUT_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a command of Slurm's. Raises SchedulerError if it is missing or does not return."""
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=patience, check=False)
    except FileNotFoundError:
        raise SchedulerError(f"there is no {words[0]} on PATH") from None
    except subprocess.TimeoutExpired:
        raise SchedulerError(f"{words[0]} does not answer within {patience:.0f} s") from None


def _output_lines(*words: str) -> list[str]:
    done = run_command(*words)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SchedulerError(f"{words[0]} failed: {last}")
    return done.stdout.splitlines()


def _query_squeue(arrays: Sequence[JobArray]) -> QueueSnapshot:
    columns = "ArrayJobID:16,ArrayTaskID:16,State:20,exit_code:12,Reason:64"
    names = ",".join(array.name for array in arrays)
    users = ",".join({str(array.user) for array in arrays})
    lines = _output_lines(
        *("squeue", "-h", "-r", "-t", "all", "-u", users, "--name", names, "-O", columns)
    )
    answer: QueueSnapshot = {}
    for line in lines:
        job, task, state, status, *reason = line.split()
        code = f"{int(status) >> 8}:{int(status) & 127}"  # squeue shows what wait(2) returns
        answer[f"{job}_{task}"] = SlurmJobState(state, " ".join(reason), code)
    return answer


def _query_sacct(arrays: Sequence[JobArray]) -> QueueSnapshot:
    jobs = ",".join(filter(None, (array.job_id for array in arrays)))
    lines = _output_lines("sacct", "-n", "-X", "-P", "-j", jobs, "-o", "JobID,State,ExitCode")
    return {name: said for line in lines for name, said in _parse_sacct_row(line)}


def _parse_sacct_row(line: str) -> Iterator[tuple[str, SlurmJobState]]:
    """A row; one of tasks that never started stands for several: 12_[3-5,7%4]."""
    name, state, code = line.split("|")
    said = SlurmJobState(state.split()[0], "", code)  # "CANCELLED by 0"
    job, _, tasks = name.partition("_")
    for part in tasks.strip("[]").partition("%")[0].split(","):
        first, _, last = part.partition("-")
        for task in range(int(first), int(last or first) + 1) if first else ():
            yield f"{job}_{task}", said


def _query_scontrol(arrays: Iterable[JobArray]) -> QueueSnapshot:
    """scontrol, a call an array."""
    answer: QueueSnapshot = {}
    for job_id in filter(None, (array.job_id for array in arrays)):
        for line in _output_lines("scontrol", "-o", "show", "job", job_id):
            facts = dict(word.partition("=")[::2] for word in line.split())
            said = SlurmJobState(facts["JobState"], facts["Reason"], facts["ExitCode"])
            for name, _ in _parse_sacct_row(f"{job_id}_[{facts.get('ArrayTaskId', '')}]|PENDING|"):
                answer[name] = said
    return answer


def _job_ids(array: JobArray) -> set[str]:
    job_id = array.job_id
    return set() if job_id is None else {f"{job_id}_{task}" for task in range(len(array.packs))}
