"""CPU time of a demo trial that TensorBoard follows, beside the same trial without a tracker.

    python benchmarks/trackers.py [--rounds 5] [--tracker tensorboard] [OVERRIDE ...]

Each trial is a fork of this process, which has imported torch; the two alternate. The time is that
of all threads of the trial, the import of the tracker included. Needs the tracker's package.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence

from rows import Row, ratio_of, row_of, to_markdown

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.machine import Machine
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.callbacks.trackers.registry import validate_trackers
from clip_hparam.training.trial import run_trial

DEMO = ("data=characters", "recipe=weak_aug")


def cpu_seconds(words: Sequence[str], trackers: Sequence[str]) -> float:
    """Run a trial in a fork of this process and return its CPU time, user and system."""
    recipe = resolve(compose_recipe(list(words)))
    with tempfile.TemporaryDirectory() as runs:
        machine = Machine(runs=runs, device="cpu", compile="off")
        spec = TrialSpec(recipe, machine, tracker=tuple(trackers))
        child = os.fork()
        if child == 0:
            state = run_trial(spec).state
            os._exit(0 if state == "done" else 1)
        _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"the trial ended with status {status}: see its log above")
    return used.ru_utime + used.ru_stime


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tracker", default="tensorboard")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE")
    arguments = parser.parse_args()
    try:
        validate_trackers([arguments.tracker])
    except ValueError as error:
        raise SystemExit(str(error)) from None
    words = [*DEMO, *arguments.overrides]
    with_tracker: list[float] = []
    without: list[float] = []
    for number in range(arguments.rounds):
        order = [(with_tracker, [arguments.tracker]), (without, [])]
        for seconds, trackers in order if number % 2 else order[::-1]:
            seconds.append(cpu_seconds(words, trackers))
    name = f"trackers: a demo trial with {arguments.tracker}"
    return [
        row_of(f"{name}, CPU time", with_tracker, "CPU s"),
        row_of("trackers: a demo trial without a tracker, CPU time", without, "CPU s"),
        ratio_of(f"{name}, CPU time", with_tracker, without, "without a tracker"),
    ]


if __name__ == "__main__":
    print(to_markdown(main()))
