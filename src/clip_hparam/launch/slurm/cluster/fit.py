"""Whether the nodes and the time limit of a partition suffice for a job. No third-party package."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.config.text.count import counted
from clip_hparam.launch.slurm.cluster.partitions import (
    NodeGroup,
    join_names,
    open_partitions,
    parse_gpus,
)

LIST_COMMAND = "sinfo -o '%P %c %m %G'"


@dataclass(frozen=True)
class Need:
    """What a job needs of each of its nodes.

    words: the options that ask for it. key: the option to change.
    per_unit: the needed amount of one unit of that option, such as CPUs of a task.
    """

    words: str
    key: str
    amount: float
    per_unit: int
    offered: Callable[[NodeGroup], float]
    format: Callable[[float], str]

    def fits(self, group: NodeGroup) -> bool:
        return self.amount <= self.offered(group)


def explain_misfit(
    options: LauncherOptions, groups: Sequence[NodeGroup], partitions: Sequence[str]
) -> str:
    """Return why no nodes of these partitions could ever run a job; empty if some could.

    Drained and reserved nodes count: they come back.
    """
    needs = list(node_needs(options))
    own = [group for group in groups if group.partition in partitions and group.count]
    if not own or _can_run(options, needs, own):
        return ""
    others = [group for group in groups if group.partition not in partitions]
    fitting = [
        name
        for name in open_partitions(others)
        if _can_run(options, needs, [group for group in others if group.partition == name])
    ]
    if fitting:
        choice = f"type hydra.launcher.partition={fitting[0]}"
        end = f"nodes for it are in {join_names(fitting)}: {choice}"
    else:
        end = f"no other partition has nodes for it, see {LIST_COMMAND}"
    return f"{_misfit(options, needs, own, _partition(partitions))}; {end}"


def explain_time_limit(
    options: LauncherOptions, groups: Sequence[NodeGroup], partitions: Sequence[str]
) -> str:
    """Return why a job never starts in these partitions: its time limit; empty if it fits one."""
    limits = [group.max_minutes for group in groups if group.partition in partitions]
    minutes = options.timeout_min
    if minutes is None or not limits or minutes <= max(limits):
        return ""
    names = open_partitions(group for group in groups if group.max_minutes >= minutes)
    sentence = (
        f"hydra.launcher.timeout_min={minutes} is more than the {max(limits):g} min of"
        f" {_partition(partitions)}: type hydra.launcher.timeout_min={max(limits):.0f}"
    )
    if not names:
        return sentence
    allow = "allows" if len(names) == 1 else "allow"
    return f"{sentence}; {join_names(names)} {allow} it: type hydra.launcher.partition={names[0]}"


def node_needs(options: LauncherOptions) -> Iterator[Need]:
    """Yield what the options ask of each node: memory, CPUs and GPUs."""
    tasks = options.tasks_per_node or 1
    if options.mem_gb:
        words = f"mem_gb={options.mem_gb:g}"
        yield Need(words, "mem_gb", options.mem_gb, 1, _memory_gb, "{:g} GB".format)
    of_tasks = [f"tasks_per_node={tasks}"] if tasks > 1 else []
    if tasks > 1 or options.cpus_per_task:
        each = options.cpus_per_task or 1
        words = " and ".join([*of_tasks, f"cpus_per_task={each}"])
        yield Need(words, "cpus_per_task", tasks * each, tasks, _cpus, _counted("CPU"))
    if options.gpus_per_node:
        words, count = f"gpus_per_node={options.gpus_per_node}", options.gpus_per_node
        yield Need(words, "gpus_per_node", count, 1, NodeGroup.gpu_count, _counted("GPU"))
    if options.gpus_per_task:
        words = " and ".join([*of_tasks, f"gpus_per_task={options.gpus_per_task}"])
        count = tasks * options.gpus_per_task
        yield Need(words, "gpus_per_task", count, tasks, NodeGroup.gpu_count, _counted("GPU"))
    for kind, count in parse_gpus(options.gres or ""):
        words, name = f"gres={options.gres}", f"{kind} GPU" if kind else "GPU"
        yield Need(words, "gres", count, 1, _gpus_of(kind), _counted(name))


def _misfit(
    options: LauncherOptions, needs: Sequence[Need], own: Sequence[NodeGroup], place: str
) -> str:
    """Return the part of the sentence about the first need that no node satisfies."""
    for need in needs:
        most = max(map(need.offered, own))
        if most < need.amount:
            return (
                f"hydra.launcher.{need.words}: a node of {place} has"
                f" {'at most ' if most else ''}{need.format(most)}{_value_to_type(need, most)}"
            )
    fitting = [group for group in own if all(need.fits(group) for need in needs)]
    if not fitting:
        words = " and ".join(need.words for need in needs)
        return f"no node of {place} has hydra.launcher.{words} together"
    most = min(sum(group.count for group in fitting), max(group.max_nodes for group in fitting))
    return (
        f"hydra.launcher.nodes={options.nodes}: a job like this has at most"
        f" {counted(int(most), 'node')} in {place}"
    )


def _value_to_type(need: Need, most: float) -> str:
    """Return the largest value that fits, in brackets; empty if there is none."""
    value = int(most // need.per_unit)
    if not value or need.key == "gres":
        return ""
    return f" (type hydra.launcher.{need.key}={value})"


def _can_run(options: LauncherOptions, needs: Sequence[Need], own: Iterable[NodeGroup]) -> bool:
    """Return whether one of the partitions of these nodes has enough nodes for a job."""
    counts: dict[str, int] = {}
    for group in own:
        if all(need.fits(group) for need in needs) and (options.nodes or 1) <= group.max_nodes:
            counts[group.partition] = counts.get(group.partition, 0) + group.count
    return max(counts.values(), default=0) >= (options.nodes or 1)


def _partition(names: Sequence[str]) -> str:
    return f"partition{'s' if len(names) > 1 else ''} {join_names(names)}"


def _memory_gb(group: NodeGroup) -> float:
    return group.memory_mb / 1024


def _cpus(group: NodeGroup) -> float:
    return group.cpus


def _gpus_of(kind: str) -> Callable[[NodeGroup], float]:
    return lambda group: group.gpu_count(kind)


def _counted(noun: str) -> Callable[[float], str]:
    return lambda number: counted(int(number), noun)
