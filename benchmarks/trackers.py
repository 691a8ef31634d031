"""CPU time that a tracker adds to a trial of the demo.

    python benchmarks/trackers.py [--rounds 7] [--tracker tensorboard] [OVERRIDE ...]

A tracker receives the numbers of each epoch, so what it costs depends on the number of epochs and
not on their length. It is measured in trials with the epochs of the demo's weak_aug, one step in
each, and the small test set of the digits: the same trial with and without the tracker, in turn.
The share is of the CPU time of the full trial. Each trial is a fork of this process, which has
imported torch; the time is that of all its threads, the import of the tracker included. Needs the
tracker's package.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence

from rows import Row, row_of, to_markdown

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.machine import Machine
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.callbacks.trackers.registry import validate_trackers
from clip_hparam.training.trial import run_trial

DEMO = ("data=characters", "recipe=weak_aug")
SHORT = ("data=digits", "recipe=weak_aug", "data.epoch_images=25")


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
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tracker", default="tensorboard")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE")
    arguments = parser.parse_args()
    try:
        validate_trackers([arguments.tracker])
    except ValueError as error:
        raise SystemExit(str(error)) from None
    words = [*DEMO, *arguments.overrides]
    short = [*SHORT, *arguments.overrides]
    with_tracker: list[float] = []
    without: list[float] = []
    for number in range(arguments.rounds):
        order = [(with_tracker, [arguments.tracker]), (without, [])]
        for seconds, trackers in order if number % 2 else order[::-1]:
            seconds.append(cpu_seconds(short, trackers))
    added = [one - other for one, other in zip(with_tracker, without, strict=True)]
    full = cpu_seconds(words, [])
    return [
        row_of(f"trackers: added by {arguments.tracker}, CPU time", added, "CPU s"),
        row_of("trackers: a trial of the demo without a tracker, CPU time", [full], "CPU s"),
        row_of(
            f"trackers: share of {arguments.tracker} in a trial of the demo",
            [100 * seconds / full for seconds in added],
            "%",
        ),
    ]


if __name__ == "__main__":
    print(to_markdown(main()))
