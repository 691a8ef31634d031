"""Whether nodes and time limit of a partition suffice: the sentence names what to type."""

from typing import Any

import pytest
from support.sinfo_output import NODE_GROUPS

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.cluster.fit import explain_misfit, explain_time_limit

NOWHERE = "; no other partition has nodes for it, see sinfo -o '%P %c %m %G'"


def misfit(partition: str = "main", **options: Any) -> str:
    return explain_misfit(LauncherOptions(**options), NODE_GROUPS, partition.split(","))


@pytest.mark.parametrize(
    ("partition", "options", "sentence"),
    [
        (
            "main",
            {"mem_gb": 100.0},
            "hydra.launcher.mem_gb=100: a node of partition main has at most 62.5 GB"
            " (type hydra.launcher.mem_gb=62)" + NOWHERE,
        ),
        (
            "debug,gpu",
            {"mem_gb": 40.0},
            "hydra.launcher.mem_gb=40: a node of partitions debug, gpu has at most 31.25 GB"
            " (type hydra.launcher.mem_gb=31); nodes for it are in main, cpu: type"
            " hydra.launcher.partition=main",
        ),
        (
            "cpu",
            {"gpus_per_node": 1},
            "hydra.launcher.gpus_per_node=1: a node of partition cpu has 0 GPUs; nodes for it are"
            " in main, debug, gpu: type hydra.launcher.partition=main",
        ),
        (
            "gpu",
            {"tasks_per_node": 3, "gpus_per_task": 1},
            "hydra.launcher.tasks_per_node=3 and gpus_per_task=1: a node of partition gpu has at"
            " most 2 GPUs" + NOWHERE,
        ),
        (
            "main",
            {"tasks_per_node": 3, "cpus_per_task": 6},
            "hydra.launcher.tasks_per_node=3 and cpus_per_task=6: a node of partition main has at"
            " most 16 CPUs (type hydra.launcher.cpus_per_task=5)" + NOWHERE,
        ),
        (
            "main",
            {"gres": "gpu:h100:2"},
            "hydra.launcher.gres=gpu:h100:2: a node of partition main has 0 h100 GPUs" + NOWHERE,
        ),
        (
            "main",
            {"mem_gb": 40.0, "gpus_per_node": 1},
            "no node of partition main has hydra.launcher.mem_gb=40 and gpus_per_node=1 together"
            + NOWHERE,
        ),
        (
            "debug",
            {"nodes": 2},
            "hydra.launcher.nodes=2: a job like this has at most 1 node in partition debug; nodes"
            " for it are in main, gpu: type hydra.launcher.partition=main",
        ),
    ],
)
def test_misfit_names_the_option_the_most_and_other_partitions(
    partition: str, options: dict[str, Any], sentence: str
) -> None:
    assert misfit(partition, **options) == sentence


@pytest.mark.parametrize(
    "options",
    [
        {"mem_gb": 62.5, "cpus_per_task": 16},
        {"mem_gb": 31.0, "gpus_per_node": 2, "nodes": 2},
        {"gres": "nvme:1"},
        {"nodes": 3, "tasks_per_node": None},
    ],
)
def test_options_that_fit_have_no_sentence(options: dict[str, Any]) -> None:
    assert misfit(**options) == ""


def test_partition_that_sinfo_does_not_show_is_not_judged() -> None:
    assert misfit("hidden", mem_gb=1000.0) == ""
    assert misfit("empty", mem_gb=1000.0) == ""


def test_time_limit_beyond_that_of_the_partition_names_both_ways_out() -> None:
    sentence = explain_time_limit(LauncherOptions(timeout_min=60), NODE_GROUPS, ["debug"])
    assert sentence == (
        "hydra.launcher.timeout_min=60 is more than the 30 min of partition debug: type"
        " hydra.launcher.timeout_min=30; main, gpu, cpu allow it: type"
        " hydra.launcher.partition=main"
    )


def test_time_limit_that_no_partition_allows_names_the_longest() -> None:
    groups = [group for group in NODE_GROUPS if group.partition in ("debug", "gpu")]
    sentence = explain_time_limit(LauncherOptions(timeout_min=3000), groups, ["debug", "gpu"])
    assert sentence.endswith(
        "2880 min of partitions debug, gpu: type hydra.launcher.timeout_min=2880"
    )


@pytest.mark.parametrize(
    ("minutes", "partitions"),
    [(30, ["debug"]), (60, ["debug", "gpu"]), (None, ["debug"]), (60, []), (10**6, ["main"])],
)
def test_time_limit_that_one_partition_allows(minutes: int | None, partitions: list[str]) -> None:
    options = LauncherOptions(timeout_min=minutes)
    assert explain_time_limit(options, NODE_GROUPS, partitions) == ""
