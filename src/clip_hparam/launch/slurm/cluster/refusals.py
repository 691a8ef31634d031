"""Sentences about a job that sbatch refuses: the option to change and its legal values."""

import getpass
import re
from collections.abc import Iterable, Mapping, Sequence

from clip_hparam.config.knob import close_names
from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.cluster.partitions import (
    QUERY_SECONDS,
    join_names,
    list_node_groups,
    open_partitions,
)
from clip_hparam.launch.slurm.commands import SchedulerError, output_lines

UNREACHABLE_WORDS = ("contact", "timed out", "connect", "authentication", "communication", "munge")
"""Words of sbatch where its controller does not respond."""
SBATCH_PREFIXES = re.compile(
    r"^(sbatch: )?((error|warning): )?((Batch job submission failed|allocation failure): )?"
)
ACCOUNT_COLUMNS = "format=account,partition,qos"
LIMITS_COMMAND = f"sacctmgr show assoc where user=$USER {ACCOUNT_COLUMNS}"
KEYS_OF_REFUSAL: dict[
    str, tuple[tuple[str, ...], str]
] = {  # word in the message of sbatch -> keys of hydra.launcher, where to look
    "invalid account": (("account",), LIMITS_COMMAND),
    "partition": (("partition",), "sinfo"),
    "account": (("account",), LIMITS_COMMAND),
    "qos": (("qos",), LIMITS_COMMAND),
    "feature": (("constraint",), "sinfo -o '%P %f'"),
    "gres": (("gres", "gpus_per_node"), "sinfo -o '%P %G'"),
    "node name": (("nodelist", "exclude"), "sinfo -N"),
    "cpu count": (("cpus_per_task", "tasks_per_node"), "sinfo -o '%P %c'"),
    "reservation": ((), "scontrol show reservation"),
    "unrecognized option": ((), "the names in hydra.launcher.additional_parameters"),
    "memory": (("mem_gb", "mem_per_cpu", "mem_per_gpu"), "sinfo -o '%P %m'"),
    "time limit": (("timeout_min",), "sinfo"),
    "array": (("array_parallelism",), "scontrol show config"),
}


def refusal_reason(printed: str) -> str:
    """Return what sbatch printed about a refusal, on one line without its own prefixes.

    Its last line is general; an error before it names the limit, or is a plugin's sentence.
    """
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    errors = [line for line in lines[:-1] if line.startswith("sbatch: error: ")]
    return "; ".join(SBATCH_PREFIXES.sub("", line) for line in errors or lines)


def refusal_message(reason: str, options: LauncherOptions) -> str:
    """Return the message for the user: the reason that sbatch gave, and the key to change."""
    if "submit" in reason.lower():
        return (
            f"sbatch refuses more jobs, or jobs of this size: {reason}; try trials_per_job=8, fewer"
            " CPUs or GPUs or a shorter hydra.launcher.timeout_min, and see sacctmgr show qos and"
            " sacctmgr show assoc where user=$USER format=account,maxsubmitjobs"
        )
    for word, (keys, command) in KEYS_OF_REFUSAL.items():
        if word not in reason.lower():
            continue
        given = [key for key in keys if getattr(options, key) is not None]
        key = next(iter([*given, *keys]), "")
        where = _legal_values(key, options) or f"see {command}"
        if given:
            return f"sbatch refuses hydra.launcher.{key}={getattr(options, key)}: {reason}; {where}"
        advice = f"set hydra.launcher.{key}, {where}" if key else where
        return f"sbatch refuses the job: {reason}; {advice}"
    return (
        f"sbatch refuses the job: {reason}; see sinfo, and hydra.launcher.nodes, cpus_per_task,"
        " gpus_per_node and mem_gb"
    )


def _legal_values(key: str, options: LauncherOptions) -> str:
    """Return the values that the cluster lists for a key, and what to type; empty if unknown."""
    try:
        if key in ("account", "qos"):
            rows = output_lines(*_account_command(), timeout=QUERY_SECONDS)
            return _accounts(key, options, parse_accounts(rows))
        groups = list_node_groups()
    except SchedulerError:
        return ""
    if key == "partition":
        return _list_choices("partitions", key, options.partition, open_partitions(groups))
    if key == "constraint":
        features = sorted({feature for group in groups for feature in group.features})
        return _list_choices("features of nodes", key, options.constraint, features)
    if key in ("gres", "gpus_per_node"):
        resources = sorted({group.gres for group in groups if group.gres})
        return f"the nodes have {' or '.join(resources)}" if resources else "no node has any"
    return ""


def _list_choices(title: str, key: str, given: str | None, names: Sequence[str]) -> str:
    """Return the legal names of an option, and the one to type: the most similar or the first."""
    if not names:
        return ""
    return f"{title} are {join_names(names)}: type hydra.launcher.{key}={_best(given, names)}"


def _best(given: str | None, names: Sequence[str]) -> str:
    """Return the name that is spelled most similarly, else the first."""
    return next(iter(close_names(given or "", names)), names[0])


def _account_command() -> list[str]:
    user = getpass.getuser()
    return ["sacctmgr", "-n", "-P", "show", "assoc", "where", f"user={user}", ACCOUNT_COLUMNS]


def parse_accounts(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return the accounts of a user with their QOS, from the lines "account|partition|qos"."""
    found: dict[str, list[str]] = {}
    for line in lines:
        account, *_, qos = line.split("|")
        found.setdefault(account, []).extend(filter(None, qos.split(",")))
    return {account: list(dict.fromkeys(qos)) for account, qos in found.items()}


def _accounts(key: str, options: LauncherOptions, qos_of: Mapping[str, Sequence[str]]) -> str:
    """Return the accounts of the user with their QOS, and the option to type."""
    if not qos_of:
        return ""
    shown = [f"{name} (QOS {', '.join(qos) or 'none'})" for name, qos in qos_of.items()]
    names = f"your accounts are {join_names(shown)}"
    if key == "account":
        return f"{names}: type hydra.launcher.account={_best(options.account, list(qos_of))}"
    owners = [name for name, qos in qos_of.items() if options.qos in qos]
    if owners and options.account not in owners:
        return f"{names}: type hydra.launcher.account={owners[0]} with it"
    legal = [qos for every in qos_of.values() for qos in every]
    return f"{names}: type hydra.launcher.qos={_best(options.qos, legal)}" if legal else names
