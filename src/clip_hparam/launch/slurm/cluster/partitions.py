"""The partitions of a cluster and their nodes, as sinfo prints them. No third-party package."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from clip_hparam.launch.slurm.commands import output_lines

QUERY_SECONDS = 2.0  # a plan does not wait longer for a command of Slurm
SINFO_COLUMNS = "%P|%a|%l|%s|%D|%c|%m|%G|%f"
"""Partition, availability, time limit, nodes of a job; number, CPUs, MB, gres, features of nodes.

The partition of jobs that name none ends in an asterisk. Source: sinfo(1).
"""
UNLIMITED = float("inf")
MAX_SHOWN = 12


@dataclass(frozen=True)
class NodeGroup:
    """Equal nodes of one partition.

    state: of the partition: up, down, drain or inactive.
    max_minutes, max_nodes: limits of a job in the partition.
    gres: generic resources of a node, as "gpu:a100:4".
    """

    partition: str
    is_default: bool
    state: str
    max_minutes: float
    max_nodes: float
    count: int
    cpus: int
    memory_mb: int
    gres: str
    features: tuple[str, ...]

    def gpu_count(self, kind: str = "") -> int:
        """Return the GPUs of a node; with `kind`, those of this type, as a100."""
        return sum(count for name, count in parse_gpus(self.gres) if kind in ("", name))


def list_node_groups() -> list[NodeGroup]:
    """Return the nodes of all partitions that the user may see.

    Raises: SchedulerError if sinfo fails or does not respond within QUERY_SECONDS.
    """
    return parse_node_groups(
        output_lines("sinfo", "-h", "-e", "-o", SINFO_COLUMNS, timeout=QUERY_SECONDS)
    )


def parse_node_groups(lines: Iterable[str]) -> list[NodeGroup]:
    """Return the nodes in the lines of sinfo; other lines, such as a cluster's name, are left out.

    A partition without nodes has one group of 0 nodes.
    """
    rows = (line.split("|") for line in lines)
    return [_parse_row(row) for row in rows if len(row) == SINFO_COLUMNS.count("|") + 1]


def _parse_row(row: Sequence[str]) -> NodeGroup:
    name, state, limit, job_nodes, count, cpus, memory, gres, features = map(str.strip, row)
    return NodeGroup(
        partition=name.rstrip("*"),
        is_default=name.endswith("*"),
        state=state,
        max_minutes=parse_minutes(limit),
        max_nodes=_number(job_nodes.rpartition("-")[2], UNLIMITED),
        count=int(_number(count, 0)),
        cpus=int(_number(cpus, 0)),
        memory_mb=int(_number(memory, 0)),
        gres=re.sub(r"\([^)]*\)", "", gres),  # (null), or the sockets of a GPU as (S:0,1)
        features=() if features == "(null)" else tuple(features.split(",")),
    )


def _number(text: str, default: float) -> float:
    """Return the number that a text begins with, as in "8+"; else the default."""
    match = re.match(r"\d+", text)
    return float(match[0]) if match else default


def parse_minutes(limit: str) -> float:
    """Return the minutes of a time limit, as 30:00, 1:00:00 or 2-00:00:00; infinite otherwise."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if match is None:
        return UNLIMITED
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return days * 1440 + hours * 60 + minutes + seconds / 60


def parse_gpus(gres: str) -> list[tuple[str, int]]:
    """Return type and number of the GPUs in generic resources, as ("a100", 4) of gpu:a100:4.

    The type is empty where none is named, and the number is 1.
    """
    found = []
    for entry in gres.split(","):
        name, *rest = entry.strip().split(":")
        count = int(rest.pop()) if rest and rest[-1].isdigit() else 1
        if name == "gpu":
            found.append((":".join(rest), count))
    return found


def default_partition(groups: Iterable[NodeGroup]) -> list[str]:
    """Return the partition of jobs that name none, as a list; empty if the cluster has none."""
    return list(dict.fromkeys(group.partition for group in groups if group.is_default))


def open_partitions(groups: Iterable[NodeGroup]) -> list[str]:
    """Return the partitions that accept jobs and start them, the default first."""
    by_default = sorted(groups, key=lambda group: not group.is_default)
    return list(
        dict.fromkeys(
            group.partition for group in by_default if group.state == "up" and group.count
        )
    )


def join_names(names: Collection[str]) -> str:
    """Return names separated by commas, the first MAX_SHOWN of them."""
    shown = list(names)[:MAX_SHOWN]
    more = [f"and {len(names) - MAX_SHOWN} more"] if len(names) > MAX_SHOWN else []
    return ", ".join([*shown, *more])
