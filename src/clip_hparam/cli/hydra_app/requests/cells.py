"""Plan the trials of the cells of a sweep: one per cell and seed, with the options of all."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields

from clip_hparam.cli.hydra_app.compose import Composer, create_trial_spec, with_seed
from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
from clip_hparam.cli.hydra_app.grammar.swept_keys import not_shared_message
from clip_hparam.cli.hydra_app.grammar.values import word_mistakes
from clip_hparam.config.machine import Machine
from clip_hparam.config.options.sweep_options import SweepOptions, seed_list
from clip_hparam.config.recipe import knobs
from clip_hparam.config.trial_spec import PER_TRIAL_OPTIONS, TrialSpec
from clip_hparam.design.design import (
    Cell,
    Design,
    Overrides,
    key_of,
    merged_overrides,
    validate_seeds,
    varies_seed,
)
from clip_hparam.design.racing import Race, parse_race
from clip_hparam.sweep.sweep import PlannedTrial

DRIVER_ONLY = {field.name for field in fields(SweepOptions)}.difference(PER_TRIAL_OPTIONS)
"""Options of the driver that trials do not receive."""


def words_of_trials(words: Sequence[str]) -> list[str]:
    """Return the overrides that each trial receives, without those of the driver alone."""
    return [word for word in words if key_of(word) not in DRIVER_ONLY]


class CellPlanner:
    """Plans the trials of cells.

    shared: overrides of the driver and the machine, which all trials of the sweep have.
    """

    def __init__(self, composer: Composer, shared: Sequence[str]) -> None:
        self.composer, self.shared = composer, list(shared)

    def plan(
        self,
        cells: Sequence[Cell],
        replicates: Sequence[int | None],
        machine: Machine,
        driver: SweepOptions,
    ) -> list[PlannedTrial]:
        """Return the trial of each cell and seed.

        Raises:
            ValueError: some cells are invalid; the message has one line per mistake.
        """
        self.refuse_mistakes(word for cell in cells for word in cell.overrides)
        planned: list[PlannedTrial] = []
        mistakes: dict[str, None] = {}
        for cell in cells:
            try:
                specs = self._cell_specs(cell, replicates, machine, driver)
                planned += [PlannedTrial(cell, spec) for spec in specs]
            except USER_ERRORS as error:
                mistakes[user_message(error)] = None
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return planned

    def shared_machine(self, cell: Cell, seed: int | None, machine: Machine) -> Machine:
        """Return the machine, with references to knobs that have one value in the whole sweep."""
        if self.composer.dependent_keys(self.shared, knobs()):
            _, machine, _ = self.composer.compose(self._words_of(cell, seed))
        return machine

    def refuse_mistakes(self, words: Iterable[str]) -> None:
        """Raise ValueError for overrides of a design with a wrong key or value; list all."""
        overrides = self.composer.parse([*dict.fromkeys(words)])
        if mistakes := list(dict.fromkeys(word_mistakes(overrides))):
            raise ValueError("\n".join(mistakes))

    def refuse_varied_references(self, words: Sequence[str], varied: Collection[str]) -> None:
        """Raise ValueError for a key that refers to a knob whose value a search chooses."""
        if keys := self.composer.dependent_keys(words, varied):
            raise ValueError(
                f"{keys[0]} refers to a knob that a search or study varies ({', '.join(varied)}):"
                f" search {keys[0]} too, or give it a value"
            )

    def _cell_specs(
        self,
        cell: Cell,
        replicates: Sequence[int | None],
        machine: Machine,
        driver: SweepOptions,
    ) -> list[TrialSpec]:
        """Return the trial of each seed. A cell with references is composed for each seed."""
        if not self.composer.has_references([*self.shared, *cell.overrides]):
            recipe, _, _ = self.composer.compose(cell.overrides)
            typed = (*words_of_trials(self.shared), *cell.overrides)
            spec = create_trial_spec(recipe, machine, driver, typed)
            return [spec if seed is None else with_seed(spec, seed) for seed in replicates]
        specs = []
        for seed in replicates:
            words = self._words_of(cell, seed)
            recipe, *shared = self.composer.compose(words)
            if shared != [machine, driver]:
                raise ValueError(not_shared_message(self.composer.dependent_keys(words, knobs())))
            specs.append(create_trial_spec(recipe, machine, driver, words_of_trials(words)))
        return specs

    def _words_of(self, cell: Cell, seed: int | None) -> Overrides:
        seeds = [] if seed is None else [f"seed={seed}"]
        return merged_overrides(self.shared, cell.overrides, seeds)


def requested_race(swept: list[str] | None, driver: SweepOptions, design: Design) -> Race | None:
    """Return the race that seeds={...} asks for; None if the replicates are listed.

    swept: the levels of seed=..., None if seed is not swept.

    Raises:
        ValueError: the race cannot be run, or the cells set their seed themselves.
    """
    has_base_seed = driver.seeds is None and _sets_seed(design.base)
    race = parse_race(design.seeds if driver.seeds is None else driver.seeds)
    if race is None or has_base_seed or swept is not None:
        return None
    validate_seeds(design, driver.seeds or design.seeds, design.base)
    return race


def requested_seeds(
    swept: list[str] | None, driver: SweepOptions, design: Design
) -> Sequence[int | None]:
    """Return the seeds of every cell: of seed=0,1 or seeds=5, else of the design.

    [None]: each cell keeps the seed that its overrides give.

    Raises:
        ValueError: seed and seeds are both given, or the cells set their seed themselves.
    """
    has_base_seed = _sets_seed(design.base)
    if (swept is not None or has_base_seed) and driver.seeds is not None:
        raise ValueError("seed and seeds both choose the replicates: give one of them")
    validate_seeds(design, driver.seeds if swept is None else swept)
    if swept is not None:
        return seed_list([_seed(level) for level in swept]) or []
    if has_base_seed or varies_seed(design):
        return [None]
    return seed_list(driver.seeds) or seed_list(design.seeds) or [None]


def _sets_seed(overrides: Sequence[str]) -> bool:
    return any(key_of(override) == "seed" for override in overrides)


def _seed(level: str) -> int:
    if not level.isdigit():
        raise ValueError(f"seed={level} lists no seeds: try seed=0,1,2, or seeds=3")
    return int(level)
