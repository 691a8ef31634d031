"""Time that a search adds to training: ask and tell in a study of 1,000 points, and plain Optuna.

    python benchmarks/asking.py [--points 1000] [--rounds 20]

Prints medians over the rounds, in milliseconds of wall time and of CPU time of this process. Both
use a journal file and TPE over the same five knobs. Ours also takes a lock, seeds its sampler,
resolves the recipe, and writes the point into the manifest. `restore` is the time to rebuild the
storage from the records, once.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from rows import Row, ratio_of, row_of, to_markdown

from clip_hparam.config.identity import canonical, label
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.record import Record
from clip_hparam.search.objective import parse_objective
from clip_hparam.search.restore import manifest_cell
from clip_hparam.search.spec import SearchManifest, SearchSpec, search_manifest
from clip_hparam.search.study import SearchStudy

QUICK = ["--points", "30", "--rounds", "1"]
SPACE = {
    "lr": ("tag(log, interval(1e-3, 3e-2))",),
    "layer_decay": ("interval(0.5, 1.0)",),
    "ema_decay": ("interval(0.9, 0.99)",),
    "label_smoothing": ("interval(0.0, 0.3)",),
    "pool": ("patch_mean", "cls"),
}
Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": time.monotonic, "CPU": time.process_time}


def filled(folder: Path, points: int) -> SearchManifest:
    """Return a search whose points are all on record, and none in its storage."""
    base = TrialSpec(Recipe(), Machine(runs=str(folder / "runs")))
    levels: dict[str, Any] = {"levels": SPACE, "when": {}, "overrides": (), "seeds": (0,)}
    how: dict[str, Any] = {"sampler": {"name": "tpe"}, "pruner": {"name": "none"}}
    objective = parse_objective("selection_acc1", None)
    search = SearchSpec("asking", "", base, goal=objective, **levels, **how, n_trials=10 * points)
    manifest = search_manifest(search)
    manifest.create_or_continue(search)
    draws = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for number in range(points):
        trial = draws.ask()
        values = search.space.suggest(trial)
        jobs = search.trial_specs(values)
        for job in jobs.values():
            train(job)
        ids = {str(seed): job.trial_id for seed, job in jobs.items()}
        manifest.add_cell(manifest_cell(number, (), values, trial.params, ids))
    return manifest


def train(job: TrialSpec) -> dict[str, Any]:
    """Write the record of a trial without training, and return its result."""
    record = Record(job.machine.runs, job.trial_id)
    record.write_recipe(canonical(job.recipe), label(job.recipe))
    accuracy = 90 - 100 * abs(job.recipe.lr - 1e-2) + job.recipe.layer_decay
    metrics = {"selection_acc1.raw.selected": accuracy}
    record.write_result({"selected_weights": "raw", "metrics": metrics, "cost": {"seconds": 1.0}})
    result = record.verified_result()
    assert result is not None
    return result


def ours(study: SearchStudy) -> tuple[list[float], list[float]]:
    """Return the seconds of ask and of tell for a point, by each clock."""
    before = [clock() for clock in CLOCKS.values()]
    asking = study.next_point()
    point = asking.__enter__()
    asked = [clock() - start for clock, start in zip(CLOCKS.values(), before, strict=True)]
    assert point is not None
    results = [train(job) for job in point.trial_specs.values()]
    before = [clock() for clock in CLOCKS.values()]
    study.tell(point, "done", results)
    asking.__exit__(None, None, None)
    told = [clock() - start for clock, start in zip(CLOCKS.values(), before, strict=True)]
    return asked, told


def plain(study: optuna.Study, search: SearchSpec) -> tuple[list[float], list[float]]:
    """Return the same seconds for plain Optuna."""
    before = [clock() for clock in CLOCKS.values()]
    trial = study.ask()
    search.space.suggest(trial)
    asked = [clock() - start for clock, start in zip(CLOCKS.values(), before, strict=True)]
    before = [clock() for clock in CLOCKS.values()]
    study.tell(trial, 90.0)
    told = [clock() - start for clock, start in zip(CLOCKS.values(), before, strict=True)]
    return asked, told


Rounds = list[tuple[list[float], list[float]]]
"""Seconds of ask and of tell in each round, by clock."""


def both(rounds: Rounds, clock: int) -> list[float]:
    """Return the milliseconds of ask and tell together in each round."""
    return [1000 * (asked[clock] + told[clock]) for asked, told in rounds]


def rows_of(points: int, clock: str, ran_ours: Rounds, ran_plain: Rounds) -> list[Row]:
    index = list(CLOCKS).index(clock)
    own, peers = both(ran_ours, index), both(ran_plain, index)
    what = f"asking: ask and tell at {points} points, {clock}"
    return [
        row_of(what, own, "ms"),
        row_of(f"{what}, plain Optuna", peers, "ms"),
        ratio_of(f"{what}, against Optuna", own, peers, "plain Optuna"),
    ]


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        manifest = filled(Path(folder), arguments.points)
        started = time.process_time()
        study = SearchStudy(manifest)
        print(f"restore: {time.process_time() - started:.2f} CPU-s")
        backend = JournalFileBackend(str(Path(folder) / "plain.journal"))
        peer = optuna.create_study(
            storage=JournalStorage(backend),
            sampler=optuna.samplers.TPESampler(seed=0),
            direction="maximize",
        )
        peer.add_trials(study.trials)
        ran_ours, ran_plain = [], []
        for _ in range(arguments.rounds):  # in turn: the machine's load is the same for both
            ran_ours.append(ours(study))
            ran_plain.append(plain(peer, manifest.load_search()))
        return [
            row for clock in CLOCKS for row in rows_of(arguments.points, clock, ran_ours, ran_plain)
        ]


if __name__ == "__main__":
    print(to_markdown(main()))
