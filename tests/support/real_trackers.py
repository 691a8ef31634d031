"""Use the real packages of the trackers without a network, and print what they stored as JSON.

Run in an environment that has them: `python -m support.real_trackers live|sync FOLDER`.
"""

import json
import os
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from clip_hparam.config.text.count import counted
from support.cli import clip_hparam, sweep
from support.in_process import Done
from support.trial_factory import Runs

TRACKERS = ("tensorboard", "wandb", "mlflow")
STOPPED = ("tracker=[tensorboard,wandb,mlflow]", "epochs=2", "data.epoch_images=100")


def succeed(done: Done) -> Done:
    assert done.code == 0, done.out + done.err
    return done


def train_twice(folder: Path) -> None:
    """Run a trial with all trackers, of which the first attempt is stopped after an epoch."""
    from clip_hparam.training.callbacks.base import TrialCallback
    from clip_hparam.training.callbacks.interrupt import InterruptFlag

    stopped: list[int] = []

    def should_stop(self: TrialCallback) -> bool:
        return bool(stopped)

    def on_epoch_end(self: TrialCallback, rows: list[dict[str, Any]]) -> bool:
        stopped.append(len(rows))
        return False

    before = InterruptFlag.should_stop, InterruptFlag.is_interrupted, InterruptFlag.on_epoch_end
    InterruptFlag.should_stop = InterruptFlag.is_interrupted = should_stop  # type: ignore
    InterruptFlag.on_epoch_end = on_epoch_end  # type: ignore
    first = sweep(*STOPPED, cwd=folder)
    assert first.code == 130, first.out + first.err
    InterruptFlag.should_stop, InterruptFlag.is_interrupted = before[:2]  # type: ignore
    InterruptFlag.on_epoch_end = before[2]  # type: ignore
    done = succeed(sweep(*STOPPED, cwd=folder))
    assert "tracker=" not in (first.out + first.err + done.out + done.err).replace(STOPPED[0], "")


def send_records(folder: Path) -> None:
    """Send two records of a sweep to all trackers, twice."""
    runs = Runs(folder / "runs")
    for seed in (0, 1):
        runs.done({"epochs": 3, "lr": 1e-3}, seed, 95.0 + seed)
    runs.sweep("lr", {"lr=0.001": {"epochs": 3, "lr": 1e-3}}, [0, 1])
    for sent, there in ((2, 0), (0, 2)):
        for name in TRACKERS:
            out = succeed(clip_hparam("sync", name, cwd=folder)).out
            assert out.startswith(f"{counted(sent, 'trial')} sent, {there} "), out


def stored(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by tracker and name of the run: group, points of the loss, final accuracy, a knob."""
    readers: dict[str, Callable[[Path], dict[str, Any]]] = {
        "tensorboard": read_tensorboard,
        "wandb": read_wandb,
        "mlflow": read_mlflow,
    }
    return {name: read(folder / "runs" / ".trackers" / name) for name, read in readers.items()}


def read_tensorboard(folder: Path) -> dict[str, Any]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    found = {}
    for path in sorted({file.parent for file in folder.rglob("events.*")}):
        events = EventAccumulator(str(path)).Reload()
        content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
        knobs = HParamsPluginData.FromString(content).session_start_info.hparams
        found[path.name] = {
            "group": path.parent.name,
            "loss": [[one.step, round(one.value, 4)] for one in events.Scalars("train_loss")],
            "final": events.Scalars("final/test_acc1/raw.selected")[-1].value,
            "epochs": knobs["epochs"].number_value,
        }
    return found


def read_mlflow(folder: Path) -> dict[str, Any]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    found = {}
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            history = client.get_metric_history(run.info.run_id, "train_loss")
            found[f"{run.info.run_name}-{run.data.tags['clip_hparam.trial_id']}"] = {
                "group": experiment.name,
                "loss": [[one.step, round(one.value, 4)] for one in history],
                "final": run.data.metrics["final/test_acc1.raw.selected"],
                "epochs": float(run.data.params["epochs"]),
                "status": run.info.status,
            }
    return found


def read_wandb(folder: Path) -> dict[str, Any]:
    """Read the offline files; the attempts of a run are files of one id."""
    from wandb.proto import wandb_internal_pb2

    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("run-*.wandb"), key=lambda path: path.stat().st_mtime):
        run: dict[str, Any] = {}
        for data in wandb_records(path.read_bytes()):
            record = wandb_internal_pb2.Record.FromString(data)
            if record.HasField("run"):
                name = f"{record.run.display_name}-{record.run.run_id}"
                run = found.setdefault(name, {"group": record.run.run_group, "loss": []})
                run["epochs"] = float(wandb_values(record.run.config.update)["epochs"])
            values = wandb_values(record.history.item)
            if "train_loss" in values:
                point = [record.history.step.num, round(float(values["train_loss"]), 4)]
                run["loss"].append(point)
            summary = wandb_values(record.summary.update)
            if "test_acc1.raw.selected" in summary:
                run["final"] = float(summary["test_acc1.raw.selected"])
    return found


def wandb_values(items: Any) -> dict[str, str]:
    return {one.key or ".".join(one.nested_key): one.value_json for one in items}


def wandb_records(content: bytes) -> Iterator[bytes]:
    """Yield the records of an offline file, which has the format of LevelDB's log.

    Blocks of 32 KiB hold chunks of a checksum, a length and a type (1 whole, 2 first, 3 middle,
    4 last); the file begins with 7 bytes of its own.
    """
    position, parts = 7, b""
    while position + 7 <= len(content):
        if 32768 - position % 32768 < 7:
            position += 32768 - position % 32768
            continue
        length, kind = struct.unpack_from("<HB", content, position + 4)
        parts += content[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            yield parts
            parts = b""


if __name__ == "__main__":
    os.environ.update(WANDB_MODE="offline", MLFLOW_TRACKING_URI="")
    target = Path(sys.argv[2])
    {"live": train_twice, "sync": send_records}[sys.argv[1]](target)
    print(json.dumps(stored(target)))
