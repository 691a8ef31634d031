"""Ask Slurm whether it would accept a job, without submitting it.

`sbatch --test-only` knows partitions, accounts, QOS, features and reservations, also those that a
plugin of the cluster chooses. It accepts jobs that never start, because of the time limit of their
partition, and refuses jobs that only wait, for drained nodes: sinfo tells these apart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.cluster.fit import explain_misfit, explain_time_limit
from clip_hparam.launch.slurm.cluster.partitions import (
    QUERY_SECONDS,
    NodeGroup,
    default_partition,
    list_node_groups,
)
from clip_hparam.launch.slurm.cluster.refusals import (
    UNREACHABLE_WORDS,
    refusal_message,
    refusal_reason,
)
from clip_hparam.launch.slurm.commands import SchedulerError, output_lines, run_command

NO_SUCH_NODES = "node configuration"
CERTAIN_WORDS = ("invalid", "inactive or drain", "unrecognized option", "not permitted", "denied")
"""Words of refusals that do not end by waiting; a limit of submitted jobs does."""
CHOSEN_PARTITION = re.compile(r"in partition (\S+)")


@dataclass(frozen=True)
class RequestCheck:
    """What Slurm answers about a job: whether it accepts it, and sentences for the user."""

    is_accepted: bool
    notes: tuple[str, ...] = ()


def check_request(script: str, options: LauncherOptions) -> RequestCheck:
    """Return whether Slurm accepts the job of a batch script.

    Raises:
        ValueError: Slurm would refuse the job, or never start it.
        SchedulerError: Slurm is absent or does not respond within seconds.
    """
    groups = list_node_groups()
    done = run_command("sbatch", "--test-only", stdin=script, timeout=QUERY_SECONDS)
    printed = done.stderr.strip() or done.stdout.strip()
    named = options.partition.split(",") if options.partition else []
    if done.returncode:
        return _explain_refusal(refusal_reason(printed), options, groups, named)
    partitions = named or CHOSEN_PARTITION.findall(printed)
    too_long = explain_time_limit(options, groups, partitions)
    if too_long and not _a_qos_lifts_the_limit():
        raise ValueError(too_long)
    states = {group.partition: group.state for group in groups if group.partition in partitions}
    waits = (
        f"partition {name} is {state}: jobs wait until an administrator starts it"
        for name, state in states.items()
        if "up" not in states.values()
    )
    return RequestCheck(True, tuple(waits))


def _explain_refusal(
    reason: str, options: LauncherOptions, groups: Sequence[NodeGroup], named: Sequence[str]
) -> RequestCheck:
    """Return a note for a refusal that a later sbatch may not meet.

    Raises: ValueError for the others; SchedulerError if sbatch could not ask its controller.
    """
    if any(word in reason.lower() for word in UNREACHABLE_WORDS):
        raise SchedulerError(f"sbatch failed: {reason}")
    if NO_SUCH_NODES in reason.lower():
        misfit = explain_misfit(options, groups, named or default_partition(groups))
        if misfit:
            raise ValueError(misfit)
        note = (
            f"no node can take such a job now (sbatch --test-only: {reason}): see sinfo -R for"
            " drained, down and reserved nodes"
        )
        return RequestCheck(False, (note,))
    if any(word in reason.lower() for word in CERTAIN_WORDS):
        raise ValueError(refusal_message(reason, options))
    return RequestCheck(False, (refusal_message(reason, options),))


def _a_qos_lifts_the_limit() -> bool:
    """Return whether the cluster has a QOS whose jobs may exceed the limits of partitions."""
    command = ("sacctmgr", "-n", "-P", "show", "qos", "format=flags")
    try:
        flags = output_lines(*command, timeout=QUERY_SECONDS)
    except SchedulerError:  # there is no accounting, hence no QOS
        return False
    return any("PartitionTimeLimit" in line for line in flags)
