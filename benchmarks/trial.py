"""CPU seconds of one trial after its imports, and where they go.

python benchmarks/trial.py [ROUNDS] [OVERRIDE ...]     prints Markdown rows

A trial is forked from this process, which has imported the training stack, as local sweeps fork it.
CASES are trials of the demo (rendered characters), and its trial of earlier versions (the digits).
Overrides are added to all of them. User and system time of the trial's process count, in
interleaved rounds; a part excludes the parts that it calls.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import Queue
from typing import Any
from unittest.mock import patch

import torch
from rows import Row, row_of, to_markdown

from clip_hparam.cli.hydra_app import app
from clip_hparam.config.recipe import Data
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.launch.local import run
from clip_hparam.training import engine, epoch, trial
from clip_hparam.training.final import all_sets

QUICK = ["1", "epochs=1", "data.epoch_images=100"]
EAGER = ["machine.compile=off", "machine.device=cpu"]
CASES = {
    "digits, weak_aug": ["recipe=weak_aug"],
    "characters, llrd, 20 epochs": ["recipe=llrd", "data=characters"],
    "characters, weak_aug, 10 epochs": ["recipe=weak_aug", "data=characters"],
    "characters, higher_resolution, 10 epochs": ["recipe=higher_resolution", "data=characters"],
}
REST = "the rest"
FUNCTIONS = (
    ("training steps", engine, "train_step"),
    ("evaluation after epochs", epoch, "evaluate_models"),
    ("evaluation at the end", all_sets, "evaluate_models"),
)
GENERATORS = (("training images", Batches, "train"), ("evaluation images", Batches, "evaluation"))


class Clock:
    """CPU seconds of this process by part."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._parts, self._since = [REST], time.process_time()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the `with` block as this part, and not as the part around it."""
        self._count()
        self._parts.append(name)
        try:
            yield
        finally:
            self._count()
            self._parts.pop()

    def function(self, name: str, called: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            with self.part(name):
                return called(*given, **named)

        return counted

    def generator(self, name: str, called: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Iterator[Any]:
            yielded = iter(called(*given, **named))
            while True:
                with self.part(name):
                    item = next(yielded, None)
                if item is None:
                    return
                yield item

        return counted

    def _count(self) -> None:
        now = time.process_time()
        self.seconds[self._parts[-1]] += now - self._since
        self._since = now


def train(words: list[str], runs: str, results: "Queue[dict[str, float]]") -> None:
    """Run a trial in this process, silently, and put the seconds of its parts."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    sys.argv = ["sweep.py", f"machine.runs={runs}", *EAGER, *words]
    real = trial.run_trial

    def measured(*given: Any, **named: Any) -> Any:
        clock = Clock()
        with ExitStack() as stack:
            for name, owner, what in FUNCTIONS:
                counted = clock.function(name, getattr(owner, what))
                stack.enter_context(patch.object(owner, what, counted))
            for name, owner, what in GENERATORS:
                counted = clock.generator(name, getattr(owner, what))
                stack.enter_context(patch.object(owner, what, counted))
            with clock.part(REST):
                outcome = real(*given, **named)
        results.put(dict(clock.seconds))
        return outcome

    with patch.object(trial, "run_trial", measured), patch.object(run, "run_trial", measured):
        app.main()


def seconds_of(words: list[str]) -> dict[str, float]:
    """Return the CPU seconds of the parts of a trial, run by a fork of this process."""
    fork = multiprocessing.get_context("fork")
    results: Queue[dict[str, float]] = fork.Queue()
    with tempfile.TemporaryDirectory() as runs:
        process = fork.Process(target=train, args=(words, runs, results))
        process.start()
        process.join()
    if process.exitcode:
        raise SystemExit(f"a trial ended with exit code {process.exitcode}: its error is above")
    return results.get()


def main() -> list[Row]:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    torch.set_num_threads(1)
    load_dataset(Data(name="characters"))  # rendered once, and shared with the trials
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in CASES}
    for _ in range(rounds):
        for name, words in CASES.items():
            taken[name].append(seconds_of([*words, *sys.argv[2:]]))
            print(name, taken[name][-1], flush=True)
    return [row for name, of in taken.items() for row in rows_of(f"trial: {name}", of)]


def rows_of(what: str, taken: list[dict[str, float]]) -> Iterator[Row]:
    totals = [sum(parts.values()) for parts in taken]
    yield row_of(what, totals, "CPU s")
    for part in sorted({name for parts in taken for name in parts}):
        shares = [
            100 * parts.get(part, 0.0) / total for parts, total in zip(taken, totals, strict=True)
        ]
        yield row_of(f"{what}, {part}", shares, "%")


if __name__ == "__main__":
    print(to_markdown(main()))
