"""Optuna study of a search, shared by concurrent worker processes.

A worker takes the next point under ask.lock, so that no number is given twice and no more than
`n_trials` numbers are given. It holds point_<n>.lock while it trains the point. The kernel releases
that lock when the process exits, and the next worker continues the point from its checkpoint.
Points that are missing from Optuna's storage are restored from the manifest and the records.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from optuna.samplers import PartialFixedSampler
from optuna.trial import FrozenTrial, Trial
from optuna.trial import TrialState as OptunaState

from clip_hparam.config.recipe import flatten
from clip_hparam.records.lock import FolderLockedError, lock_folder
from clip_hparam.records.metrics import seconds_spent
from clip_hparam.records.state import TrialState
from clip_hparam.search.methods.optuna_options import suppress_experimental_warnings
from clip_hparam.search.methods.pruners import create_pruner
from clip_hparam.search.methods.samplers import create_sampler
from clip_hparam.search.point import Point
from clip_hparam.search.restore import manifest_cell, optuna_state, restore_trial, user_attributes
from clip_hparam.search.results import IMPOSSIBLE
from clip_hparam.search.spec import SearchManifest
from clip_hparam.search.stopping import is_over
from clip_hparam.search.storage import open_study

ASK_LOCK_FILE = "ask.lock"


class SearchStudy:
    """The study of a search whose manifest is on disk; the storage is opened or restored.

    Raises:
        ValueError: the storage cannot be reached, or its study belongs to another search.
    """

    def __init__(self, manifest: SearchManifest) -> None:
        self.manifest = manifest
        self.search = manifest.load_search()
        with self._locked():
            self.study = open_study(self.search)
            self._restore_points()

    @contextmanager
    def next_point(self) -> Iterator[Point | None]:
        """Yield an abandoned or new point, locked during the block; None if the search is over."""
        with ExitStack() as locks:
            with self._locked():
                self.search = self.manifest.load_search()
                point = self._take_over_point(locks) or self._ask_point(locks)
            yield point

    def tell(self, point: Point, state: str, results: Sequence[Mapping[str, Any]]) -> None:
        """Report the end of a point to Optuna.

        state: DONE with the results of all replicates, else the state of the first other trial.
        """
        point.trial.set_user_attr("seconds", sum(map(seconds_spent, point.records)))
        point.trial.set_user_attr("state", state)
        if state == TrialState.DONE:
            self.study.tell(point.trial, self.search.goal.values(results))
        else:
            self.study.tell(point.trial, state=optuna_state(state, self.search))

    def fail_abandoned(self) -> int:
        """Fail the points whose worker was lost; return their number.

        Call it when no worker runs any more. Points that were stopped on request can be continued.
        """
        failed = 0
        with self._locked(), ExitStack() as locks:
            while point := self._take_over_point(locks, take_over=False):
                self._fail_point(point)
                failed += 1
        return failed

    @property
    def points_left(self) -> int:
        """Points that have not ended, running or not yet asked for; 0 if the search is over."""
        trials = self.trials
        ended = sum(trial.state.is_finished() for trial in trials)
        running = len(trials) - ended
        return running if is_over(self.search, trials) else self.search.n_trials - ended

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials of the study; must not be changed."""
        return self.study.get_trials(deepcopy=False)

    def _locked(self) -> AbstractContextManager[None]:
        return lock_folder(self.search.folder, ASK_LOCK_FILE, wait=True)

    def _point_lock(self, number: int) -> AbstractContextManager[None]:
        return lock_folder(self.search.folder, f"point_{number}.lock")

    def _ask_point(self, locks: ExitStack) -> Point | None:
        """Ask for the next point that can run; None if the search is over.

        Impossible points count too. The first point is the base recipe, as far as it lies in the
        space, because it is the reference that the search has to beat.
        """
        point, search = None, self.search
        while point is None and not is_over(search, trials := self.trials):
            if not trials and search.sampler["name"] != "grid":
                self.study.enqueue_trial(search.space.params(flatten(search.base.recipe)))
            self.study.sampler = create_sampler(
                search.sampler, search.space, search.goal, len(trials)
            )
            point = self._register_point(self.study.ask())
        if point:
            locks.enter_context(self._point_lock(point.number))
        return point

    def _register_point(self, trial: Trial) -> Point | None:
        """Write the cell of an Optuna trial into the manifest; return its point.

        None if no recipe allows its values; Optuna is then told that the point is impossible.
        """
        search = self.search
        with suppress_experimental_warnings():
            values = search.space.suggest(trial)
        try:
            specs = search.trial_specs(values)
        except ValueError as error:
            trial.set_user_attr("error", str(error))
            specs = {}
        ids = {str(seed): spec.trial_id for seed, spec in specs.items()}
        cells = self.manifest.read()["cells"]
        if all(cell["number"] != trial.number for cell in cells):
            cell = manifest_cell(trial.number, search.overrides, values, trial.params, ids)
            self.manifest.add_cell(cell)
            for key, value in user_attributes(search, cell).items():
                trial.set_user_attr(key, value)
        if not specs:
            self.study.tell(trial, state=optuna_state(IMPOSSIBLE, search))
            return None
        self.study.pruner = create_pruner(
            search.pruner, search.goal, search.max_epochs, search.max_warmup, len(search.seeds)
        )
        repeated = any(cell["trials"] == ids and cell["number"] < trial.number for cell in cells)
        reported = dict(self.trials[trial.number].intermediate_values)
        return Point(trial.number, specs, search, trial, repeated, reported)

    def _take_over_point(self, locks: ExitStack, take_over: bool = True) -> Point | None:
        """Lock and return a running point that no worker holds; None if all are held.

        Points whose workers were lost more often than `retries` allows are failed. With
        take_over=False only points of lost workers are returned, not points stopped on request.
        """
        for frozen in self.trials:
            if frozen.state is not OptunaState.RUNNING:
                continue
            with ExitStack() as lock:
                try:
                    lock.enter_context(self._point_lock(frozen.number))
                except FolderLockedError:
                    continue
                if self.trials[frozen.number].state is not OptunaState.RUNNING:
                    continue  # the point ended before its lock was taken
                point = self._register_point(self._reopen_trial(frozen))
                if point is None:
                    continue
                was_lost = not point.was_stopped()
                if point.is_running() or not (take_over or was_lost):
                    continue
                losses = frozen.user_attrs.get("taken_over", 0) + was_lost
                point.trial.set_user_attr("taken_over", losses)
                if take_over and losses > self.search.retries:
                    self._fail_point(point)
                    continue
                locks.push(lock.pop_all())
                point.is_repeated = True
                return point
        return None

    def _reopen_trial(self, frozen: FrozenTrial) -> Trial:
        """Reopen a running trial of the storage with the parameters from the manifest."""
        cells = self.manifest.read()["cells"]
        params = {cell["number"]: cell["params"] for cell in cells}
        search, number = self.search, frozen.number
        sampler = create_sampler(search.sampler, search.space, search.goal, number)
        with suppress_experimental_warnings():
            self.study.sampler = PartialFixedSampler(params.get(number, {}), sampler)
        return Trial(self.study, frozen._trial_id)

    def _fail_point(self, point: Point) -> None:
        """Record the unfinished trials of a point as lost and report it to Optuna."""
        point.write_lost()
        self.tell(point, TrialState.LOST, ())

    def _restore_points(self) -> None:
        """Add the points that are missing from the storage, rebuilt from their records."""
        stored = len(self.trials)
        for cell in self.manifest.read()["cells"][stored:]:
            self.study.add_trial(restore_trial(self.search, cell))
