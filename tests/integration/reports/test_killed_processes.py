"""A killed rank or loader process of one trial is named, with memory as its likely cause."""

import multiprocessing
import os
import re
import signal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support.cli import clip_hparam, records, sweep, wait_until
from support.image_folders import grow

from clip_hparam.config.identity import canonical
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.manifests.manifest import manifest_tree, write_manifest
from clip_hparam.records.record import Record
from clip_hparam.training import engine

KILLER = "signal 9 (SIGKILL), often sent by the kernel's out-of-memory killer (see dmesg)"
RANKS = ("epochs=20", "data.epoch_images=200", "batch_size=50", "gpus_per_trial=2",
         "machine.rank_timeout=20")  # fmt: skip
TRAINS = re.compile(r"rank 1 of 2 is process (\d+)")


def kill_rank_1(folder: Path) -> None:
    """Send SIGKILL to rank 1 of the only trial once an epoch is done."""
    wait_until(lambda: len(list(folder.glob("runs/*/metrics.jsonl"))) == 1)
    (log,) = folder.glob("runs/*/log.txt")
    (pid,) = TRAINS.findall(log.read_text())
    os.kill(int(pid), signal.SIGKILL)


def test_a_killed_rank_of_one_trial_is_named_with_the_signal(tmp_path: Path) -> None:
    killer = Thread(target=kill_rank_1, args=(tmp_path,))
    killer.start()
    done = sweep(*RANKS, cwd=tmp_path)
    killer.join()
    assert done.code == 1
    (record,) = records(tmp_path)
    cause = f"rank 1 ended by {KILLER}: type machine.micro_batch="
    assert f"trial {record.trial_id} lost: rank 1 of 2 (process " in done.err
    assert f"; {cause}" in done.err
    assert done.err.count("\n") == 1
    assert cause in clip_hparam("why", record.trial_id, cwd=tmp_path).out


@pytest.mark.parametrize("reaped", [False, True])
def test_a_killed_loader_process_is_named_and_the_trial_goes_on_afterwards(
    reaped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = grow(tmp_path / "images", {"a": 30, "b": 30}, suffix=".jpg")
    words = ("data=folder", f"data.root={root}", "batch_size=10", "epochs=1",
             "machine.loader_workers=1")  # fmt: skip
    step = engine.train_step

    def step_after_kill(*args: Any) -> Any:
        for child in multiprocessing.active_children():
            child.kill()
            if reaped:  # DataLoader then reports no signal
                child.join()
        return step(*args)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "train_step", step_after_kill)
        done = sweep(*words, cwd=tmp_path)
    assert done.code == 1
    (record,) = records(tmp_path)
    advice = "type machine.loader_workers=1, or 0"
    message = (record.failure() or {})["message"]
    assert message.startswith(f"a process that reads images ended by {KILLER}: {advice}")
    assert "Traceback" not in done.out + done.err
    assert message in clip_hparam("why", record.trial_id, cwd=tmp_path).out
    assert sweep(*words[:-1], "machine.loader_workers=0", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("job", "remedy"), [(None, "lower machine.micro_batch"), ("7_0", "raise hydra.launcher.mem_gb")]
)
def test_a_killed_process_of_one_trial_is_told_with_memory(
    job: str | None, remedy: str, tmp_path: Path
) -> None:
    """Rank 0, which would record the end, is killed: status.json still says that it runs."""
    spec = TrialSpec(resolve(Recipe()))
    record = Record(tmp_path / "runs", spec.trial_id)
    record.write_recipe(canonical(spec.recipe), spec.label)
    record.write_failure("failed", "error", "of an attempt before")
    killed = {"host": "n1", "pid": 5, "job": job, "heartbeat": "2026-01-01T00:00:00Z"}
    record.write_status("running", **killed)
    cell = {"label": "one", "overrides": [], "trials": {"0": spec.trial_id}}
    write_manifest(tmp_path / "runs", manifest_tree("aaaaaaaaaaaa", "mine", "grid", [cell]))
    told = f"its process 5 on n1 ended without recording a reason, as by {KILLER}:"
    for words in (("why", spec.trial_id), ("why", "mine"), ("status",), ("retry", "mine"),
                  ("show", spec.trial_id)):  # fmt: skip
        shown = clip_hparam(*words, cwd=tmp_path).out
        assert told in shown, words
        assert remedy in shown
        assert "of an attempt before" not in shown
