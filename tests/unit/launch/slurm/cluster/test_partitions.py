"""The partitions that sinfo prints: limits, nodes and GPUs."""

import pytest
from support.sinfo_output import NODE_GROUPS, SINFO_LINES

from clip_hparam.launch.slurm.cluster.partitions import (
    default_partition,
    join_names,
    open_partitions,
    parse_gpus,
    parse_minutes,
    parse_node_groups,
)


def test_nodes_of_a_partition_are_read() -> None:
    (debug,) = [group for group in NODE_GROUPS if group.partition == "debug"]
    assert (debug.max_minutes, debug.max_nodes, debug.count) == (30, 1, 1)
    assert (debug.cpus, debug.memory_mb, debug.gpu_count()) == (8, 32000, 2)
    assert debug.features == ("v100", "rack1")
    assert not debug.is_default


def test_lines_of_other_clusters_and_damaged_ones_are_left_out() -> None:
    assert parse_node_groups(["CLUSTER: other", "", *SINFO_LINES[:1], "main|up"])[1:] == []


def test_default_is_first_and_partitions_without_nodes_or_jobs_are_left_out() -> None:
    assert default_partition(NODE_GROUPS) == ["main"]
    assert open_partitions(reversed(NODE_GROUPS)) == ["main", "cpu", "gpu", "debug"]


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("30:00", 30), ("1:30:00", 90), ("2-00:00:00", 2880), ("0:30", 0.5), ("infinite", None)],
)
def test_time_limit_is_read_in_minutes(limit: str, minutes: float | None) -> None:
    assert parse_minutes(limit) == (float("inf") if minutes is None else minutes)


@pytest.mark.parametrize(
    ("gres", "gpus"),
    [
        ("gpu:2", [("", 2)]),
        ("gpu:a100:4,gpu:v100:2,nvme:1", [("a100", 4), ("v100", 2)]),
        ("gpu", [("", 1)]),
        ("gpu:a100", [("a100", 1)]),
        ("", []),
    ],
)
def test_gpus_of_generic_resources(gres: str, gpus: list[tuple[str, int]]) -> None:
    assert parse_gpus(gres) == gpus


def test_sockets_of_gpus_are_no_gpus() -> None:
    (group,) = parse_node_groups(["g*|up|infinite|1|4|64|256000|gpu:a100:4(S:0,1)|(null)"])
    assert (group.gpu_count("a100"), group.gpu_count("h100"), group.features) == (4, 0, ())


def test_a_long_list_of_names_is_cut() -> None:
    assert join_names([str(n) for n in range(14)]).endswith("10, 11, and 2 more")
