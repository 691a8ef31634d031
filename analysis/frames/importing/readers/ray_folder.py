"""Read a folder of Ray Tune: a trial per subfolder with params.json, result.json or progress.csv.

States come from the newest experiment_state-*.json (Ray 1.13 to 2.x); without it a trial with
error.txt or error.pkl has failed, and a trial with `done` in its last result is complete. The last
result of a trial counts, also where a scheduler stopped it.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from clip_hparam.analysis.frames.importing.readers.delimited import read_delimited, read_text
from clip_hparam.analysis.frames.importing.source import (
    RepeatedKeyError,
    Roles,
    Source,
    TrialParts,
    flatten,
    join_parts,
    to_text,
    varied,
    without_repeated_keys,
)

PARAMS, RESULTS, PROGRESS = "params.json", "result.json", "progress.csv"
ITERATION = "training_iteration"
BOOKKEEPING = {
    *("trial_id", "experiment_id", "experiment_tag", "date", "timestamp", "pid", "hostname"),
    *("node_ip", "done", "should_checkpoint", "checkpoint_dir_name", ITERATION, "trial_status"),
    *("time_this_iter_s", "time_total_s", "time_since_restore", "iterations_since_restore"),
    *("timesteps_total", "timesteps_since_restore", "episodes_total", "warmup_time"),
}
NAME, STATE, STATES = "trial_id", "trial_status", "experiment_state-*.json"


def is_ray_folder(path: Path) -> bool:
    """Return whether the folder, or a subfolder, is a trial of Ray Tune."""
    return any(_trial_folders(path))


def read_ray_folder(path: Path) -> Source:
    """Return a row per trial: its configuration, its last result and its state.

    Raises:
        ValueError: a file of a trial cannot be read.
    """
    states = _experiment_states(path)
    trials = []
    for folder in _trial_folders(path):
        config, result = _read_trial(folder)
        known = next((name for name in states if f"_{name}_" in f"{folder.name}_"), folder.name)
        trial_id = to_text(result.get("trial_id")) or known  # a trial without a result
        state = states.get(trial_id) or _state_of(folder, result)
        result = {name: value for name, value in result.items() if name not in (NAME, STATE)}
        trials.append(TrialParts({NAME: trial_id, STATE: state}, config, result))
    rows, knobs, results = join_parts(trials)
    reported = [name for name in results if name not in BOOKKEEPING]
    metrics = tuple(name for name in reported if _is_number(rows[name].dropna().to_list()))
    objective = metrics[0] if len(metrics) == 1 else ""
    roles = Roles(varied(rows, knobs), metrics, objective, name=NAME, state=STATE)
    return Source("ray", rows, roles, _early_note(trials))


def _trial_folders(path: Path) -> list[Path]:
    """Return the folders with params.json and a file of results; the path may be one of them."""
    found = [path] if (path / PARAMS).is_file() else []
    found += [file.parent for file in path.glob(f"*/{PARAMS}")]
    found += [file.parent for file in path.glob(f"*/*/{PARAMS}")]
    return sorted(set(found))


def _read_trial(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the flat configuration and the last result; {} if nothing was reported."""
    config = _loads(read_text(folder / PARAMS), folder / PARAMS)
    result: dict[str, Any] = {}
    if (folder / RESULTS).is_file():
        lines = [line for line in read_text(folder / RESULTS).splitlines() if line.strip()]
        whole = (tree for line in reversed(lines) if (tree := _parse(line)) is not None)
        result = flatten(next(whole, {}), "/")  # the last line is cut where a process was killed
    elif (folder / PROGRESS).is_file() and (folder / PROGRESS).stat().st_size:
        table = read_delimited(folder / PROGRESS).rows
        last = table.iloc[-1] if len(table) else pd.Series()
        result = {str(name): value for name, value in last.items()}
    return flatten(config), {k: v for k, v in result.items() if not k.startswith("config/")}


def _loads(text: str, path: Path) -> dict[str, Any]:
    tree = _parse(text)
    if tree is None:
        raise ValueError(f"{path.parent.name}/{path.name} is truncated or not a JSON object")
    return tree


def _parse(text: str) -> dict[str, Any] | None:
    try:
        tree = json.loads(
            text,
            parse_float=str,
            parse_int=str,
            parse_constant=str,
            object_pairs_hook=without_repeated_keys,
        )
    except RepeatedKeyError:
        raise
    except ValueError:
        return None
    return tree if isinstance(tree, dict) else None


def _experiment_states(path: Path) -> dict[str, str]:
    """Return the status of each trial id in the newest state of the experiment."""
    states: dict[str, str] = {}
    files = [file for folder in ("", "*/") for file in path.glob(f"{folder}{STATES}")]
    files += path.resolve().parent.glob(STATES)  # the folder may be one trial of an experiment
    for file in sorted(files, key=lambda file: file.name):
        tree = _loads(read_text(file), file)
        for entry in tree.get("trial_data") or tree.get("checkpoints") or []:
            state = entry[0] if isinstance(entry, list) and entry else entry
            trial = json.loads(state) if isinstance(state, str) else state
            if isinstance(trial, dict) and "trial_id" in trial and "status" in trial:
                states[str(trial["trial_id"])] = str(trial["status"])
    return states


def _state_of(folder: Path, result: dict[str, Any]) -> str:
    if (folder / "error.txt").exists() or (folder / "error.pkl").exists():
        return "ERROR"
    if not result:
        return "PENDING"
    return "TERMINATED" if str(result.get("done")).lower() == "true" else "RUNNING"


def _early_note(trials: list[TrialParts]) -> tuple[str, ...]:
    """Return a sentence if complete trials have fewer iterations than others."""
    complete = [trial.results for trial in trials if trial.head[STATE] == "TERMINATED"]
    reached = [int(str(row[ITERATION])) for row in complete if str(row.get(ITERATION)).isdigit()]
    early = sum(count < max(reached) for count in reached)
    if not early:
        return ()
    return (
        f"{early} of {len(complete)} complete trials ended before iteration {max(reached)}, such as"
        " those that a scheduler stopped: their last value counts",
    )


def _is_number(texts: list[str]) -> bool:
    def parses(text: str) -> bool:
        try:
            float(text)
        except ValueError:
            return False
        return True

    return bool(texts) and all(map(parses, texts))
