"""Explanations of squeue's reasons for which jobs wait in the queue. No third-party package."""

from collections import Counter
from collections.abc import Iterable, Iterator

NO_REASON = ("", "None", "(null)")
MEANINGS = {
    "Resources": "no node has enough free resources yet",
    "Priority": "jobs with a higher priority are first",
    "ReqNodeNotAvail": "the nodes it needs are down, drained or reserved, which sinfo -R lists",
    "Nodes required for job": "see sinfo -R for the nodes and why they are drained",
    "PartitionDown": "its partition accepts jobs and starts none",
    "PartitionInactive": "its partition neither accepts nor starts jobs",
    "NodeDown": "a node that it needs is down, which sinfo -R lists",
    "JobArrayTaskLimit": "hydra.launcher.array_parallelism jobs run at once",
    "BeginTime": "its time to begin has not come, as after a requeue",
    "Dependency": "a job that it depends on has not ended",
    "Licenses": "its licenses are in use",
    "Reservation": "its reservation has not begun",
    "QOS": "a limit of its QOS is reached",
    "Assoc": "a limit of its account is reached",
    "MaxJobs": "a limit on running jobs is reached",
}
"""Meanings of squeue's reasons by their first characters."""


def explain_wait(reason: str) -> str:
    """Return squeue's reason with its meaning in brackets, where it is known."""
    meaning = next((text for start, text in MEANINGS.items() if reason.startswith(start)), "")
    return f"{reason} ({meaning})" if meaning else reason


def waiting_lines(reasons: Iterable[str]) -> Iterator[str]:
    """Yield a line per reason of queued trials: how many wait for it."""
    for reason, count in Counter(reasons).most_common():
        yield f"{count} queued in Slurm: {explain_wait(reason)}"
