"""The Hydra sweeper: its whole override grammar in, cells and trials out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from clip_hparam.cli.hydra_app.compose import Composer, create_trial_spec, with_seed
from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
from clip_hparam.cli.hydra_app.foreign_launcher import HydraLauncherAdapter
from clip_hparam.cli.hydra_app.typed_overrides import validate_typed
from clip_hparam.config.duration import parse_duration
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.machine import Machine
from clip_hparam.config.search_options import SearchOptions
from clip_hparam.config.sweep_options import SweepOptions, seed_list
from clip_hparam.config.trial_spec import PER_TRIAL_OPTIONS, TrialSpec
from clip_hparam.design import design as designs
from clip_hparam.design import expand, racing
from clip_hparam.design.design import Cell, Design, Step
from clip_hparam.design.racing import Race
from clip_hparam.launch.base import LaunchContext, Launcher
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.sweep.driver import run_sweep
from clip_hparam.sweep.sweep import PlannedTrial, Sweep

Levels = dict[str, list[str]]
DRIVER_KEYS = frozenset(field.name for field in fields(SweepOptions))
NOT_RECIPE = DRIVER_KEYS | {"machine"}
"""Top-level keys that say where and how to run: no part of a cell, which runs anywhere."""


class SweepEnded(SystemExit):
    """Carries the exit code of a sweep past Hydra, which keeps no return value of a sweeper."""


class AblationSweeper(Sweeper):
    """Compiles a design, or the levels on the command line, and drives it."""

    def __init__(self, design: Any = None, **asked: Any) -> None:
        self.design = to_plain(design)
        self.asked = SearchOptions(**{key: to_plain(value) for key, value in asked.items()})

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.composer = Composer(hydra_context.config_loader, config)
        self.context, self.task, self.app_config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Raises SweepEnded with the exit code; ValueError for what cannot be a sweep."""
        parsed = self.composer.parse(arguments)
        validate_typed(parsed)
        fixed = [o for o in parsed if not o.is_sweep_override() and o.key_or_group != "sweeps"]
        keys = [o for o in fixed if o.key_or_group.partition(".")[0] in NOT_RECIPE]
        _, machine, driver = self.composer.compose([str(o.input_line) for o in keys])
        if (self.design or {}).get("kind") == "study":
            raise SweepEnded(self._study(parsed, machine, driver))
        typed = [o for o in parsed if o not in keys and o.key_or_group != "sweeps"]
        if self.asked.is_search or (self.design or {}).get("kind") == "search":
            raise SweepEnded(self._search(typed, machine, driver))
        swept = {o.key_or_group: override_levels(o) for o in parsed if o.is_sweep_override()}
        seeds = swept.pop("seed", None)
        design, crossed = self._design(swept, [o for o in fixed if o not in keys])
        race = requested_race(seeds, driver, design)
        replicates = race.seeds if race else requested_seeds(seeds, driver, design)
        chosen = list(cross_cells(expand.expand_design(design), crossed))
        planned = self._planned(chosen, replicates, machine, driver)
        notes = (*expand.design_notes(design), *([race.note] if race else []))
        sweep = Sweep(design.name, design.kind, planned, notes, race)
        own = DRIVER_KEYS.difference(PER_TRIAL_OPTIONS)
        places = [str(o.input_line) for o in keys if o.key_or_group not in own]
        by_hydra = {
            plan.job.trial_id: [*places, *plan.cell.overrides, f"seed={plan.seed}"]
            for plan in sweep.planned
        }
        order = partial(LaunchContext, sweep.id, sweep.name, sweep.runs, driver)
        raise SweepEnded(run_sweep(sweep, driver, lambda: self._launcher(order, by_hydra)))

    def _study(self, parsed: Sequence[Override], machine: Machine, driver: SweepOptions) -> int:
        """The exit code of a study; what was typed goes on to each of its stages."""
        from clip_hparam.sweep.campaign import Campaign  # no other sweep pays for it

        if driver.budget == "none":
            raise ValueError("a study plans by its budget: say how long it may take, budget=8h")
        hydra = [
            word
            for word in self.app_config.hydra.overrides.hydra
            if not word.startswith(("hydra.sweeper", "hydra.mode"))
        ]
        own = ("sweeps", "budget", "dry_run")
        words = [str(o.input_line) for o in parsed if o.key_or_group not in own]
        workers = len(gpu_slots(driver, machine.device))
        budget = parse_duration(driver.budget) * workers
        design = designs.parse_design(self.design)
        study = Campaign(design, (*words, *hydra), Path(machine.runs), budget, workers)
        if driver.dry_run:
            study.show()
            return ExitCode.OK
        return study.run()

    def _search(
        self,
        typed: Sequence[Override],
        machine: Machine,
        driver: SweepOptions,
    ) -> int:
        """The exit code of a search."""
        # Optuna: no other sweep pays for it
        from clip_hparam.cli.hydra_app import search_request
        from clip_hparam.records.credentials import export_password
        from clip_hparam.sweep.search_driver import run_search

        swept = {o.key_or_group: o for o in typed if o.is_sweep_override()}
        seeds = override_levels(swept.pop("seed")) if "seed" in swept else None
        ranges = [str(o.input_line) for o in swept.values()]
        fixed = [str(o.input_line) for o in typed if not o.is_sweep_override()]
        design = search_request.designed(self.design, self.asked, ranges, fixed)
        driver = search_request.with_worker_count(self.asked, driver)
        recipe, _, _ = self.composer.compose(design.base)
        replicates = requested_seeds(seeds, driver, design)
        base = TrialSpec(
            recipe, machine, **{name: getattr(driver, name) for name in PER_TRIAL_OPTIONS}
        )
        numbers = [recipe.seed if seed is None else seed for seed in replicates]
        search = search_request.create_search_spec(design, base, self.asked, driver, numbers)
        order = partial(LaunchContext, search.id, search.name, search.runs, driver)
        export_password(str(self.asked.storage or ""))
        return run_search(search, driver, lambda: self._launcher(order))

    def _planned(
        self,
        cells: Sequence[Cell],
        replicates: Sequence[int | None],
        machine: Machine,
        driver: SweepOptions,
    ) -> list[PlannedTrial]:
        """Every trial. Raises ValueError with the mistakes of all cells, a line each."""
        planned: list[PlannedTrial] = []
        mistakes: dict[str, None] = {}
        for cell in cells:
            try:
                recipe, _, _ = self.composer.compose(cell.overrides)
                job = create_trial_spec(recipe, machine, driver)
                for seed in replicates:
                    one = job if seed is None else with_seed(job, seed)
                    planned.append(PlannedTrial(cell, one.recipe.seed, one))
            except USER_ERRORS as error:
                mistakes[user_message(error)] = None
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return planned

    def _design(self, swept: Levels, fixed: Sequence[Override]) -> tuple[Design, Levels]:
        """The design with the command line worked in, and swept keys that it does not vary."""
        base = tuple(str(o.input_line) for o in fixed)
        if self.design is None:
            if swept:
                return Design("_x_".join(sorted(swept)), "grid", base, swept), {}
            return Design("one", "list", base, steps=(Step("one", ()),)), {}
        design = designs.parse_design(self.design)
        given = swept | {o.key_or_group: [o.get_value_string()] for o in fixed}
        varied = {knob: levels for knob, levels in given.items() if knob in design.knobs}
        rest = tuple(line for line in base if designs.key_of(line) not in varied)
        crossed = {knob: levels for knob, levels in swept.items() if knob not in varied}
        return designs.with_base(designs.with_levels(design, varied), rest), crossed

    def _launcher(
        self,
        order: Callable[[dict[str, Any]], LaunchContext],
        by_hydra: Mapping[str, Sequence[str]] | None = None,
    ) -> Launcher:
        """Ours by its class; Hydra's and other people's wrapped, for trials that have overrides.

        Raises ValueError if they have none: workers of a search.
        """
        node = self.app_config.hydra.launcher
        target: str = node["_target_"]
        module, _, name = target.rpartition(".")
        if module.startswith("clip_hparam."):
            ours = getattr(import_module(module), name)
            options = to_plain(node)
            del options["_target_"]
            made: Launcher = ours(order(options))
            return made
        if by_hydra is None:
            raise ValueError(
                f"a search cannot run through {name}: try hydra/launcher=workers or submitit_slurm"
            )
        theirs = Plugins.instance().instantiate_launcher(
            hydra_context=self.context, task_function=self.task, config=self.app_config
        )
        return HydraLauncherAdapter(theirs, by_hydra)


def to_plain(node: Any) -> Any:
    """What OmegaConf holds as Python has it."""
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def override_levels(override: Override) -> list[str]:
    """The levels of a swept key; a range is one, for designs that draw from it."""
    if not override.is_discrete_sweep():
        return [str(override.input_line).partition("=")[2]]
    return [str(level) for level in override.sweep_string_iterator()]


def cross_cells(cells: Sequence[Cell], levels: Mapping[str, Sequence[str]]) -> Iterator[Cell]:
    """Each cell at each combination of further levels. Raises ValueError for a range."""
    expand.validate_no_ranges(levels)
    for cell in cells:
        for values in product(*levels.values()):
            more = tuple(f"{knob}={value}" for knob, value in zip(levels, values, strict=True))
            yield Cell(
                ",".join((cell.label, *more)), designs.merged_overrides(cell.overrides, more)
            )


def requested_race(swept: list[str] | None, driver: SweepOptions, design: Design) -> Race | None:
    """The race that seeds={...} asks for, where the replicates are not given one by one."""
    given = driver.seeds is None and "seed" in map(designs.key_of, design.base)
    race = racing.parse_race(design.seeds if driver.seeds is None else driver.seeds)
    if race is None or given or swept is not None:
        return None
    designs.validate_seeds(design, driver.seeds or design.seeds, design.base)
    return race


def requested_seeds(
    swept: list[str] | None, driver: SweepOptions, design: Design
) -> Sequence[int | None]:
    """Seeds of every cell: seed=0,1 or seeds=5 of the command line, else the design's own.

    Raises ValueError if seeds are given both ways.
    """
    single = any(designs.key_of(override) == "seed" for override in design.base)
    if (swept is not None or single) and driver.seeds is not None:
        raise ValueError("seed and seeds both say which replicates to run: give one of them")
    designs.validate_seeds(design, driver.seeds if swept is None else swept)
    if swept is not None:
        return seed_list([int(seed) for seed in swept]) or []
    if single or designs.varies_seed(design):
        return [None]
    return seed_list(driver.seeds) or seed_list(design.seeds) or [None]
