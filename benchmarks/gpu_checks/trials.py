"""Whole trials in forked processes: one is killed and resumed, three run at a time."""

import os
import signal
import sys
import time
from functools import partial
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local import processes
from clip_hparam.launch.log import redirect_output
from clip_hparam.records.paths import log_path
from clip_hparam.records.record import Record
from clip_hparam.subprocesses import exit_with_parent
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.checkpoints.checkpoint import saved_step
from clip_hparam.training.trial import run_trial
from gpu_checks.check import Finding, Setup, Task, failed, passed
from gpu_checks.inputs import TINY, folder_recipe, spec_of, tiny_recipe

EPOCH_STEPS, KILL_STEP = 12, 8
RECIPE = {"data.epoch_images": 16 * EPOCH_STEPS, "mixup": 0.8, "clip_grad": 0.5}
TRIAL_SECONDS, SAVE_SECONDS, POLL_SECONDS = 90.0, 20.0, 0.01
TRIALS, WORKERS = 3, 2


class KillItself(TrialCallback):
    """Kills its process at a step, once a state of the epoch is saved."""

    def __init__(self, folder: Path, step: int) -> None:
        self.folder, self.step = folder, step

    def on_step(self, step: int, total_steps: int) -> None:
        if step >= self.step:
            deadline = time.monotonic() + SAVE_SECONDS
            while saved_step(self.folder) is None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            os.kill(os.getpid(), signal.SIGKILL)


def run_child(tree: dict[str, Any], kill_step: int) -> None:
    """Run a trial as a fork of the server; it kills itself at a step, 0 for none."""
    exit_with_parent()
    spec = TrialSpec.from_dict(tree)
    redirect_output(log_path(spec.machine.runs, spec.trial_id))
    folder = Record(spec.machine.runs, spec.trial_id).checkpoint_folder
    callbacks = [KillItself(folder, kill_step)] if kill_step else []
    sys.exit(run_trial(spec, callbacks).state != "done")


def run(spec: TrialSpec, kill_step: int = 0) -> int | None:
    """Run a trial in a forked process to its end, and return the exit code."""
    context = processes.start_forkserver(spec)
    process = context.Process(target=run_child, args=(spec.to_dict(), kill_step))
    process.start()
    _join([process])
    return process.exitcode


def resume(setup: Setup, deterministic: bool) -> Finding:
    """Kill a trial in mid-epoch, resume it, and compare it with one that was not interrupted."""
    runs = setup.folder / f"resume_{deterministic}"
    recipe = tiny_recipe(**RECIPE)
    settings = {"checkpoint_seconds": 0.0, "deterministic": deterministic}
    whole, cut = (
        spec_of(recipe, runs / name, setup.device, **settings) for name in ("whole", "cut")
    )
    if code := run(whole):
        return failed(f"the trial ended with exit code {code}: {_reason(whole)}")
    killed = run(cut, KILL_STEP)
    saved = saved_step(Record(cut.machine.runs, cut.trial_id).checkpoint_folder)
    if killed != -signal.SIGKILL or saved is None or not 0 < saved < EPOCH_STEPS:
        return failed(f"the trial was not killed in mid-epoch: {_reason(cut)}", step=str(saved))
    if code := run(cut):
        return failed(f"the resumed trial ended with exit code {code}: {_reason(cut)}")
    ours, theirs = _weights(cut), _weights(whole)
    difference = max(float((ours[name] - theirs[name]).abs().max()) for name in theirs)
    figures = {"resumed after step": saved, "largest difference": difference}
    is_equal = all(torch.equal(ours[name], theirs[name]) for name in theirs)
    if is_equal:
        return passed("the weights have equal bits", **figures)
    if deterministic or not setup.on_gpu:
        return failed("the weights differ", **figures)
    return passed("bits may differ without machine.deterministic", **figures)


def warm_server(setup: Setup) -> Finding:
    """Run three trials at a time as forks of the server; loader workers fork after CUDA began."""
    runs, started = setup.folder / "server", time.monotonic()
    specs = [
        spec_of(
            folder_recipe(setup, TINY, 32, seed=seed, **RECIPE),
            runs,
            setup.device,
            loader_workers=WORKERS,
        )
        for seed in range(TRIALS)
    ]
    is_forked = isinstance(processes.start_forkserver(specs[0], TRIALS), ForkServerContext)
    ranks = [processes.start_ranks(spec, None, at_once=TRIALS)[0] for spec in specs]
    _join(ranks)
    seconds = round(time.monotonic() - started, 1)
    results = [Record(spec.machine.runs, spec.trial_id).result() for spec in specs]
    done = sum(result is not None for result in results)
    if done < TRIALS:
        spec = specs[results.index(None)]
        return failed(f"{done} of {TRIALS} trials are done: {_reason(spec)}", seconds=seconds)
    devices = {str(result["numerics"]["device"]) for result in results if result}
    if devices != {setup.device.type}:
        return failed(f"the trials ran on {' and '.join(sorted(devices))}", seconds=seconds)
    if not is_forked and sys.platform == "linux":
        return failed("CUDA began in the server, so that trials were spawned", seconds=seconds)
    return passed(f"{TRIALS} forked trials with {WORKERS} loader workers each", seconds=seconds)


def _join(started: list[BaseProcess]) -> None:
    """Wait for the ends of processes. Raises TimeoutError, after they were killed."""
    deadline = time.monotonic() + TRIAL_SECONDS
    for process in started:
        process.join(max(deadline - time.monotonic(), 0.0))
    if any(process.is_alive() for process in started):
        processes.kill(started)
        raise TimeoutError(f"a trial did not end within {TRIAL_SECONDS:.0f} s")


def _weights(spec: TrialSpec) -> dict[str, Tensor]:
    return load_file(Record(spec.machine.runs, spec.trial_id).folder / "last.safetensors")


def _reason(spec: TrialSpec) -> str:
    """Return the message of a failed trial, or the last line of its log."""
    failure = Record(spec.machine.runs, spec.trial_id).failure() or {}
    log = log_path(spec.machine.runs, spec.trial_id)
    lines = log.read_text().splitlines() if log.exists() else []
    return str(failure.get("message") or (lines[-1] if lines else "it has no log"))


TASKS = (
    Task("resume: deterministic", 40, partial(resume, deterministic=True)),
    Task("resume: not deterministic", 40, partial(resume, deterministic=False)),
    Task("server: three forked trials", 30, warm_server),
)
