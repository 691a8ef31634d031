"""The options of our launchers; those of submitit_slurm and submitit_local are named as in Hydra.

Names, types and meanings are those of hydra-submitit-launcher. Two defaults differ, because its own
lose work: a job is requeued at its time limit, and a short job is signalled later.
"""

from dataclasses import dataclass, field, fields
from typing import Any

DEFAULT_SIGNAL_SECONDS = 120


def _option(default: Any, help: str, unit: str = "") -> Any:
    """Return the field of an option with its meaning."""
    return field(default=default, metadata=_described(help, unit))


def _described(help: str, unit: str = "") -> dict[str, str]:
    return {"help": help, "unit": unit}


@dataclass
class LauncherOptions:
    """Options of both submitit launchers; submitit_local accepts and ignores them.

    Each option that is None is left out of the batch script.
    """

    timeout_min: int | None = _option(60, "time limit of a job; null: the partition's", "min")
    nodes: int | None = _option(1, "computers of a job")
    tasks_per_node: int | None = _option(1, "processes of a trial on each node")
    cpus_per_task: int | None = _option(None, "CPU cores of a process")
    cpus_per_gpu: int | None = _option(None, "CPU cores per GPU")
    gpus_per_node: int | None = _option(None, "GPUs of a job on each node")
    gpus_per_task: int | None = _option(None, "GPUs of a process")
    mem_gb: float | None = _option(None, "memory of a job on each node", "GB")
    mem_per_cpu: str | None = _option(None, "memory per CPU core, as 4G")
    mem_per_gpu: str | None = _option(None, "memory per GPU, as 60G")
    partition: str | None = _option(None, "partition that runs the jobs; sinfo lists them")
    qos: str | None = _option(None, "quality of service: a name of limits and priority")
    account: str | None = _option(None, "account that is charged for the jobs")
    constraint: str | None = _option(None, "features that a node must have, as a100")
    exclude: str | None = _option(None, "nodes that are not used, as node[1-3]")
    nodelist: str | None = _option(None, "nodes that are used, as node[4-6]")
    gres: str | None = _option(None, "generic resources, as gpu:a100:1, without gpus_per_node")
    comment: str | None = _option(None, "text that squeue can show")
    array_parallelism: int | None = _option(256, "jobs of a sweep that run at once", "jobs")
    signal_delay_s: int | None = _option(
        None, "time before the limit to save the state in; null is 120, less for a short limit", "s"
    )
    max_num_timeout: int = _option(10, "times that a job is requeued at its time limit", "times")
    setup: list[str] | None = field(
        default=None, metadata=_described("shell lines before a trial, as [module load cuda]")
    )
    srun_args: list[str] | None = field(default=None, metadata=_described("options of srun"))
    additional_parameters: dict[str, Any] = field(
        default_factory=dict,
        metadata=_described("other options of sbatch: +hydra.launcher.additional_parameters.NAME"),
    )
    python: str | None = _option(None, "Python of the jobs; null is that of the command")


@dataclass
class SubmititSlurmOptions(LauncherOptions):
    """hydra/launcher=submitit_slurm: Slurm job arrays."""

    _target_: str = "clip_hparam.launch.slurm.launcher.SlurmLauncher"


@dataclass
class SubmititLocalOptions(LauncherOptions):
    """hydra/launcher=submitit_local: local workers with the option names of submitit."""

    _target_: str = "clip_hparam.launch.local.pool.WorkerPool"


@dataclass
class WorkersOptions:
    """hydra/launcher=workers: local processes forked from a warm server."""

    _target_: str = "clip_hparam.launch.local.pool.WorkerPool"


@dataclass
class InlineOptions:
    """hydra/launcher=inline: trials one after another in this process, for debugging."""

    _target_: str = "clip_hparam.launch.inline.InlineLauncher"


NON_SBATCH_KEYS = ("timeout_min", "signal_delay_s", "max_num_timeout", "python")
"""Options that are not passed to sbatch under their own name."""


REQUESTED = (
    *("partition", "account", "qos", "nodes", "tasks_per_node", "gpus_per_node", "gpus_per_task"),
    *("gres", "cpus_per_task", "cpus_per_gpu", "mem_gb", "mem_per_cpu", "mem_per_gpu"),
    *("timeout_min", "constraint", "nodelist", "exclude"),
)
"""Options by which Slurm chooses where and for how long a job runs."""
OPTION_OF_PARAMETER = {"time": "timeout_min", "mem": "mem_gb", "ntasks-per-node": "tasks_per_node"}
"""Options of sbatch, whose values these keys of ours hold."""
OPTION_OF_NAME = {
    **OPTION_OF_PARAMETER,
    "time-min": "timeout_min",
    "gpus": "gpus_per_node",
    "ngpus": "gpus_per_node",
    "cpus": "cpus_per_task",
    "ntasks": "tasks_per_node",
    "memory": "mem_gb",
    "queue": "partition",
    "timeout": "timeout_min",
    "mem-per-node": "mem_gb",
}
"""What users of sbatch and other launchers write, and our key for it."""


def option_names() -> list[str]:
    """Return the names of the options of the submitit launchers."""
    return [field.name for field in fields(LauncherOptions)]


def describe_request(options: LauncherOptions) -> str:
    """Return the options that a Slurm job is given, as the plan of a sweep prints them."""
    given = {name: getattr(options, name) for name in REQUESTED} | options.additional_parameters
    shown = {name: f"{v:g}" if isinstance(v, float) else v for name, v in given.items()}
    return " ".join(f"{name}={value}" for name, value in shown.items() if value is not None)


def tasks_per_job(options: LauncherOptions) -> int:
    """Return the number of Slurm tasks of a job; each is a rank of its trial."""
    return (options.nodes or 1) * (options.tasks_per_node or 1)


def signal_delay_seconds(options: LauncherOptions) -> int:
    """Return the seconds before the time limit at which a trial is asked to save its state.

    The default is 120 s, or a quarter of a time limit below 8 min. Raises ValueError for a delay
    that is no shorter than the time limit.
    """
    limit = float("inf") if options.timeout_min is None else options.timeout_min * 60
    default = int(min(DEFAULT_SIGNAL_SECONDS, limit // 4))
    if options.signal_delay_s is None:
        return default
    if not 0 < options.signal_delay_s < limit:
        raise ValueError(
            f"hydra.launcher.signal_delay_s={options.signal_delay_s} leaves no time to train in"
            f" hydra.launcher.timeout_min={options.timeout_min}: try {default}"
        )
    return options.signal_delay_s
