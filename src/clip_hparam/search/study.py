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

from clip_hparam.config.recipe import flatten
from clip_hparam.records.credentials import with_password
from clip_hparam.records.lock import FolderLockedError, lock_folder
from clip_hparam.records.metrics import seconds_spent
from clip_hparam.records.state import is_alive
from clip_hparam.search import samplers
from clip_hparam.search.point import Point
from clip_hparam.search.restore import manifest_cell, optuna_state, restore_trial, user_attributes
from clip_hparam.search.results import IMPOSSIBLE
from clip_hparam.search.spec import SearchManifest
from clip_hparam.search.storage import open_storage, silence_optuna

ASK_LOCK_FILE = "ask.lock"
STOPPED_STATES = ("queued", "cancelled")
MAX_INITIAL_FAILURES = 3
"""First points that may fail before a search gives up: something is wrong with all of them."""


class SearchStudy:
    """A search that is on disk, as one process sees it."""

    def __init__(self, manifest: SearchManifest) -> None:
        silence_optuna()
        self.manifest = manifest
        self.search = manifest.load_search()
        with self._locked():
            storage = open_storage(with_password(self.search.url))
            self.study = optuna.create_study(
                study_name=self.search.study,
                storage=storage,
                directions=[*map(study_direction, self.search.goal.directions)],
                load_if_exists=True,
            )
            self._claim_optuna_study()
            self._restore_points()

    @contextmanager
    def asked(self) -> Iterator[Point | None]:
        """A point for as long as the block runs; None if there is nothing more to ask."""
        with ExitStack() as held:
            with self._locked():
                self.search = self.manifest.load_search()
                point = self._take_over_point(held) or self._ask_point(held)
            yield point

    def tell(self, point: Point, state: str, results: Sequence[Mapping[str, Any]]) -> None:
        """The end of a point: "done" with all its results, or the state of the one that is not."""
        point.trial.set_user_attr("seconds", sum(map(seconds_spent, point.records)))
        point.trial.set_user_attr("state", state)
        if state == "done":
            self.study.tell(point.trial, self.search.goal.values(results))
        else:
            self.study.tell(point.trial, state=optuna_state(state, self.search))

    def fail_abandoned(self) -> int:
        """Give up points that nobody works on any more; their number.

        For when no worker is left: what the records call lost fails, the rest can still go on.
        """
        given_up = 0
        with self._locked(), ExitStack() as held:
            while point := self._take_over_point(held, take_over=False):
                self._fail_point(point)
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
    def _locked(self) -> Iterator[None]:
        with lock_folder(self.search.folder, ASK_LOCK_FILE, wait=True):
            yield

    def _ask_point(self, held: ExitStack) -> Point | None:
        """The next point that can run; what cannot is told so, and counts.

        The first is the base itself, as far as it lies in the space: it is what is to be beaten.
        """
        point = None
        while point is None and not self._is_over(trials := self.trials):
            search = self.search
            if not trials and search.sampler["name"] != "grid":
                self.study.enqueue_trial(search.space.params(flatten(search.base.recipe)))
            self.study.sampler = samplers.create_sampler(
                search.sampler, search.space, search.goal, len(trials)
            )
            trial = self.study.ask()
            point = self._register_point(trial)
        if point:
            held.enter_context(lock_folder(self.search.folder, _point_lock_file(point.number)))
        return point

    def _register_point(self, trial: Trial) -> Point | None:
        """A trial of the store as a point with its cell in the manifest; None if it cannot run."""
        search = self.search
        with samplers.suppress_experimental_warnings():
            values = search.space.suggest(trial)
        try:
            jobs = search.jobs(values)
        except ValueError as error:
            trial.set_user_attr("error", str(error))
            jobs = {}
        ids = {str(seed): job.trial_id for seed, job in jobs.items()}
        cells = self.manifest.read()["cells"]
        if all(cell["number"] != trial.number for cell in cells):
            self.manifest.add_cell(
                manifest_cell(trial.number, search.overrides, values, trial.params, ids)
            )
            for key, value in user_attributes(search, ids.values()).items():
                trial.set_user_attr(key, value)
        if not jobs:
            self.study.tell(trial, state=optuna_state(IMPOSSIBLE, search))
            return None
        self.study.pruner = samplers.create_pruner(
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
        if len(ended) >= MAX_INITIAL_FAILURES and set(ended) == {TrialState.FAIL}:
            return True
        return bool(self.search.budget) and self._spent(trials) >= self.search.budget

    def _spent(self, trials: Sequence[FrozenTrial]) -> float:
        """Seconds of all points, the ones under way and the next taken to cost the mean."""
        known: list[float] = [t.user_attrs["seconds"] for t in trials if "seconds" in t.user_attrs]
        if not known:
            return 0.0
        return sum(known) + (len(trials) - len(known) + 1) * sum(known) / len(known)

    def _take_over_point(self, held: ExitStack, take_over: bool = True) -> Point | None:
        """A point that nobody works on, from now on ours; those that died too often are given up.

        With take_over=False only points that died, and not those that were stopped.
        """
        for frozen in self.trials:
            if frozen.state is not TrialState.RUNNING:
                continue
            with ExitStack() as lock:
                try:
                    lock.enter_context(
                        lock_folder(self.search.folder, _point_lock_file(frozen.number))
                    )
                except FolderLockedError:
                    continue
                if self.trials[frozen.number].state is not TrialState.RUNNING:
                    continue  # it was told while we reached for its lock
                point = self._register_point(self._reopen_trial(frozen))
                if point is None:
                    continue
                states = [record.status() for record in point.records]
                died = not any(one.get("state") in STOPPED_STATES for one in states)
                at_it = any(one.get("state") == "running" and is_alive(one) for one in states)
                if at_it or not (take_over or died):
                    continue
                times = frozen.user_attrs.get("taken_over", 0) + died
                point.trial.set_user_attr("taken_over", times)
                if take_over and times > self.search.retries:
                    self._fail_point(point)
                    continue
                held.push(lock.pop_all())
                point.again = True
                return point
        return None

    def _claim_optuna_study(self) -> None:
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

    def _reopen_trial(self, frozen: FrozenTrial) -> Trial:
        """A trial that the store has, with the parameters that the manifest has for it."""
        cells = self.manifest.read()["cells"]
        known = {cell["number"]: cell["params"] for cell in cells}
        search, number = self.search, frozen.number
        sampler = samplers.create_sampler(search.sampler, search.space, search.goal, number)
        with samplers.suppress_experimental_warnings():
            self.study.sampler = PartialFixedSampler(known.get(number, {}), sampler)
        return Trial(self.study, frozen._trial_id)

    def _fail_point(self, point: Point) -> None:
        for record in point.records:
            if not record.is_done():
                record.write_failure("lost", "lost", "its worker died, as often as retries allows")
        self.tell(point, "lost", ())

    def _restore_points(self) -> None:
        """Tell the store the points that it has forgotten, from the records."""
        known = len(self.trials)
        for cell in self.manifest.read()["cells"][known:]:
            self.study.add_trial(restore_trial(self.search, cell))


def study_direction(name: str) -> optuna.study.StudyDirection:
    return optuna.study.StudyDirection[name.upper()]


def _point_lock_file(number: int) -> str:
    return f"point_{number}.lock"
