"""Write a folder of Ray Tune 2: a trial per subfolder, and the state of the experiment."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple


class RayTrial(NamedTuple):
    """A trial; `results` are the reported metrics of its iterations."""

    trial_id: str
    config: dict[str, Any]
    results: list[dict[str, Any]]
    status: str = "TERMINATED"


def write_ray_folder(
    folder: Path, trials: list[RayTrial], as_csv: bool = False, with_state: bool = True
) -> None:
    for trial in trials:
        path = folder / f"train_{trial.trial_id}_0_lr={trial.config.get('lr')}_2026-11-26"
        path.mkdir(parents=True)
        (path / "params.json").write_text(json.dumps(trial.config))
        if trial.status == "ERROR":
            (path / "error.txt").write_text("Failure # 1")
        rows = [_result(trial, number) for number in range(len(trial.results))]
        if rows and as_csv:
            config = {f"config/{name}": value for name, value in trial.config.items()}
            with (path / "progress.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, [*rows[0], *config])
                writer.writeheader()
                writer.writerows([{**row, **config} for row in rows])
        elif rows:
            lines = [json.dumps({**row, "config": trial.config}) for row in rows]
            (path / "result.json").write_text("\n".join(lines) + "\n")
    if with_state:
        states = [{"trial_id": trial.trial_id, "status": trial.status} for trial in trials]
        tree = {"trial_data": [[json.dumps(state), "{}"] for state in states], "runner_data": {}}
        (folder / "experiment_state-2026-11-26_00-00-00.json").write_text(json.dumps(tree))


def _result(trial: RayTrial, number: int) -> dict[str, Any]:
    last = number + 1 == len(trial.results) and trial.status == "TERMINATED"
    return {
        **trial.results[number], "trial_id": trial.trial_id, "training_iteration": number + 1,
        "done": last, "pid": 17, "time_total_s": 1.5 * number, "hostname": "node",
    }  # fmt: skip
