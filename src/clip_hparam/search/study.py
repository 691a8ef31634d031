"""A study that many processes ask at once: each gets a point, trains it, reports and tells.

Numbers are given out under a lock, so none is given twice and none beyond `n_trials`. A process
holds the lock of its point while it works on it; the kernel gives it back when the process dies,
and the next that asks takes the point over where it stands. What the store has forgotten it is told
again from the manifest and the records.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import optuna
from optuna.samplers import PartialFixedSampler
from optuna.trial import FrozenTrial, Trial, TrialState

from clip_hparam.config.recipe import flat
from clip_hparam.records.credentials import unmasked
from clip_hparam.records.lock import BusyError, claim
from clip_hparam.records.state import lives
from clip_hparam.search import samplers
from clip_hparam.search.point import Point
from clip_hparam.search.restore import attributes, cell_of, from_records, outcome
from clip_hparam.search.results import IMPOSSIBLE, seconds_of
from clip_hparam.search.spec import Manifest
from clip_hparam.search.storage import opened, quiet

ASKING = "ask.lock"
STOPPED = ("queued", "cancelled")
FAILURES = 3
"""First points that may fail before a search gives up: something is wrong with all of them."""


class Study:
    """A search that is on disk, as one process sees it."""

    def __init__(self, manifest: Manifest) -> None:
        quiet()
        self.manifest = manifest
        self.search = manifest.search()
        with self._alone():
            storage = opened(unmasked(self.search.url))
            self.study = optuna.create_study(
                study_name=self.search.study,
                storage=storage,
                directions=[*map(direction, self.search.goal.directions)],
                load_if_exists=True,
            )
            self._own()
            self._restore()

    @contextmanager
    def asked(self) -> Iterator[Point | None]:
        """A point for as long as the block runs; None if there is nothing more to ask."""
        with ExitStack() as held:
            with self._alone():
                self.search = self.manifest.search()
                point = self._abandoned(held) or self._new(held)
            yield point

    def tell(self, point: Point, state: str, results: Sequence[Mapping[str, Any]]) -> None:
        """The end of a point: "done" with all its results, or the state of the one that is not."""
        point.trial.set_user_attr("seconds", sum(map(seconds_of, point.records)))
        point.trial.set_user_attr("state", state)
        if state == "done":
            self.study.tell(point.trial, self.search.goal.values(results))
        else:
            self.study.tell(point.trial, state=outcome(state, self.search))

    def settle(self) -> int:
        """Give up points that nobody works on any more; their number.

        For when no worker is left: what the records call lost fails, the rest can still go on.
        """
        given_up = 0
        with self._alone(), ExitStack() as held:
            while point := self._abandoned(held, take_over=False):
                self._give_up(point)
                given_up += 1
        return given_up

    @property
    def left(self) -> int:
        """Points that are not ended yet, asked or not; 0 if the search is over before."""
        trials = self.trials
        ended = sum(trial.state.is_finished() for trial in trials)
        running = len(trials) - ended
        return running if self._is_over(trials) else self.search.n_trials - ended

    @property
    def trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with claim(self.search.folder, ASKING, wait=True):
            yield

    def _new(self, held: ExitStack) -> Point | None:
        """The next point that can run; what cannot is told so, and counts.

        The first is the base itself, as far as it lies in the space: it is what is to be beaten.
        """
        point = None
        while point is None and not self._is_over(trials := self.trials):
            search = self.search
            if not trials and search.sampler["name"] != "grid":
                self.study.enqueue_trial(search.space.params(flat(search.base.recipe)))
            self.study.sampler = samplers.sampler(
                search.sampler, search.space, search.goal, len(trials)
            )
            trial = self.study.ask()
            point = self._point(trial)
        if point:
            held.enter_context(claim(self.search.folder, _lock(point.number)))
        return point

    def _point(self, trial: Trial) -> Point | None:
        """A trial of the store as a point with its cell in the manifest; None if it cannot run."""
        search = self.search
        with samplers.no_warnings():
            values = search.space.suggest(trial)
        try:
            jobs = search.jobs(values)
        except ValueError as error:
            trial.set_user_attr("error", str(error))
            jobs = {}
        ids = {str(seed): job.trial_id for seed, job in jobs.items()}
        cells = self.manifest.read()["cells"]
        if all(cell["number"] != trial.number for cell in cells):
            self.manifest.add(cell_of(trial.number, search.overrides, values, trial.params, ids))
            for key, value in attributes(search, ids.values()).items():
                trial.set_user_attr(key, value)
        if not jobs:
            self.study.tell(trial, state=outcome(IMPOSSIBLE, search))
            return None
        self.study.pruner = samplers.pruner(
            search.pruner, search.goal, search.epochs, search.warmup, len(search.seeds)
        )
        again = any(cell["trials"] == ids and cell["number"] < trial.number for cell in cells)
        told = dict(self.trials[trial.number].intermediate_values)
        return Point(trial.number, jobs, search, trial, again, told)

    def _is_over(self, trials: Sequence[FrozenTrial]) -> bool:
        asked = sum(trial.state is not TrialState.WAITING for trial in trials)
        if asked >= self.search.n_trials:
            return True
        ended = [trial.state for trial in trials if trial.state.is_finished()]
        if len(ended) >= FAILURES and set(ended) == {TrialState.FAIL}:
            return True
        return bool(self.search.budget) and self._spent(trials) >= self.search.budget

    def _spent(self, trials: Sequence[FrozenTrial]) -> float:
        """Seconds of all points, the ones under way and the next taken to cost the mean."""
        known: list[float] = [t.user_attrs["seconds"] for t in trials if "seconds" in t.user_attrs]
        if not known:
            return 0.0
        return sum(known) + (len(trials) - len(known) + 1) * sum(known) / len(known)

    def _abandoned(self, held: ExitStack, take_over: bool = True) -> Point | None:
        """A point that nobody works on, from now on ours; those that died too often are given up.

        With take_over=False only points that died, and not those that were stopped.
        """
        for frozen in self.trials:
            if frozen.state is not TrialState.RUNNING:
                continue
            with ExitStack() as lock:
                try:
                    lock.enter_context(claim(self.search.folder, _lock(frozen.number)))
                except BusyError:
                    continue
                if self.trials[frozen.number].state is not TrialState.RUNNING:
                    continue  # it was told while we reached for its lock
                point = self._point(self._again(frozen))
                if point is None:
                    continue
                states = [record.status() for record in point.records]
                died = not any(one.get("state") in STOPPED for one in states)
                at_it = any(one.get("state") == "running" and lives(one) for one in states)
                if at_it or not (take_over or died):
                    continue
                times = frozen.user_attrs.get("taken_over", 0) + died
                point.trial.set_user_attr("taken_over", times)
                if take_over and times > self.search.retries:
                    self._give_up(point)
                    continue
                held.push(lock.pop_all())
                point.again = True
                return point
        return None

    def _own(self) -> None:
        """Raises ValueError if the store has a study of this name that asks for something else."""
        search = self.search
        owner = self.study.user_attrs.get("sweep_id")
        if owner is None and not self.trials:
            self.study.set_user_attr("sweep_id", search.id)
        elif owner != search.id:
            raise ValueError(
                f"hydra.sweeper.study_name={search.study} in {search.url} is of another search:"
                " its space, base, seeds or objective differ; choose another name"
            )

    def _again(self, frozen: FrozenTrial) -> Trial:
        """A trial that the store has, with the parameters that the manifest has for it."""
        cells = self.manifest.read()["cells"]
        known = {cell["number"]: cell["params"] for cell in cells}
        search, number = self.search, frozen.number
        sampler = samplers.sampler(search.sampler, search.space, search.goal, number)
        with samplers.no_warnings():
            self.study.sampler = PartialFixedSampler(known.get(number, {}), sampler)
        return Trial(self.study, frozen._trial_id)

    def _give_up(self, point: Point) -> None:
        for record in point.records:
            if not record.is_done():
                record.write_failure("lost", "lost", "its worker died, as often as retries allows")
        self.tell(point, "lost", ())

    def _restore(self) -> None:
        """Tell the store the points that it has forgotten, from the records."""
        known = len(self.trials)
        for cell in self.manifest.read()["cells"][known:]:
            self.study.add_trial(from_records(self.search, cell))


def direction(name: str) -> optuna.study.StudyDirection:
    return optuna.study.StudyDirection[name.upper()]


def _lock(number: int) -> str:
    return f"point_{number}.lock"
