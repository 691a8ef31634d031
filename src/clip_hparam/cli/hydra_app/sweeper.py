"""Hydra sweeper: turns a design and the command line into trials, and runs them."""

from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from clip_hparam.cli.hydra_app.compose import (
    Composer,
    create_base_spec,
    create_trial_spec,
    with_seed,
)
from clip_hparam.cli.hydra_app.data_facts import print_plan_facts, print_search_facts
from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
from clip_hparam.cli.hydra_app.launchers import create_launcher
from clip_hparam.cli.hydra_app.levels import (
    Levels,
    cross_cells,
    override_levels,
    split_design_levels,
)
from clip_hparam.cli.hydra_app.replicates import requested_race, requested_seeds
from clip_hparam.cli.hydra_app.schema import to_plain
from clip_hparam.cli.hydra_app.typed_overrides import validate_typed
from clip_hparam.config.duration import parse_duration
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.machine import Machine
from clip_hparam.config.search_options import SearchOptions
from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import PER_TRIAL_OPTIONS
from clip_hparam.design import design as designs
from clip_hparam.design.design import Cell, Design, Step
from clip_hparam.design.expand import design_notes, expand_design
from clip_hparam.launch.base import LaunchContext
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.sweep.driver import run_sweep
from clip_hparam.sweep.sweep import PlannedTrial, Sweep

DRIVER_KEYS = frozenset(field.name for field in fields(SweepOptions))
NON_RECIPE_KEYS = DRIVER_KEYS | {"machine"}
"""Top-level keys of where and how to run; they are no part of a cell."""


class SweepEnded(SystemExit):
    """Carries the exit code of a sweep, because Hydra drops the return value of a sweeper."""


class AblationSweeper(Sweeper):
    """hydra/sweeper=ablation: runs a design from sweeps/, or the levels on the command line."""

    def __init__(self, design: Any = None, **options: Any) -> None:
        self.tree: dict[str, Any] | None = to_plain(design)
        self.options = SearchOptions(**{key: to_plain(value) for key, value in options.items()})

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.composer = Composer(hydra_context.config_loader, config)
        self.create_launcher = partial(create_launcher, config, hydra_context, task_function)

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep, search or study that these overrides ask for.

        Raises:
            SweepEnded: always, with the exit code.
            ValueError: the overrides and the design make no sweep.
        """
        parsed = self.composer.parse(arguments)
        validate_typed(parsed)
        overrides = [o for o in parsed if o.key_or_group != "sweeps"]
        keys = [o for o in overrides if o.key_or_group.partition(".")[0] in NON_RECIPE_KEYS]
        cell_overrides = [o for o in overrides if o not in keys]
        _, machine, driver = self.composer.compose([str(o.input_line) for o in keys])
        kind = (self.tree or {}).get("kind")
        if kind == "study":
            raise SweepEnded(self._run_study(overrides, machine, driver))
        if self.options.is_search or kind == "search":
            raise SweepEnded(self._run_search(cell_overrides, machine, driver))
        raise SweepEnded(self._run_design(cell_overrides, keys, machine, driver))

    def _run_design(
        self,
        overrides: Sequence[Override],
        keys: Sequence[Override],
        machine: Machine,
        driver: SweepOptions,
    ) -> int:
        """Run a design, or the grid of the swept keys; return the exit code."""
        swept = {o.key_or_group: override_levels(o) for o in overrides if o.is_sweep_override()}
        seeds = swept.pop("seed", None)
        fixed = [o for o in overrides if not o.is_sweep_override()]
        design, crossed = self._create_design(swept, fixed)
        race = requested_race(seeds, driver, design)
        replicates = race.seeds if race else requested_seeds(seeds, driver, design)
        cells = list(cross_cells(expand_design(design), crossed))
        planned = self._plan_trials(cells, replicates, machine, driver)
        print_plan_facts(plan.spec.recipe for plan in planned if plan.seed == planned[0].seed)
        notes = (*design_notes(design), *([race.note] if race else []))
        sweep = Sweep(design.name, design.kind, planned, notes, race)
        of_driver = DRIVER_KEYS.difference(PER_TRIAL_OPTIONS)
        of_trials = [str(o.input_line) for o in keys if o.key_or_group not in of_driver]
        trial_overrides = {
            plan.trial_id: [*of_trials, *plan.cell.overrides, f"seed={plan.seed}"]
            for plan in sweep.planned
        }
        context = partial(LaunchContext, sweep.id, sweep.name, sweep.runs, driver)
        return run_sweep(sweep, driver, lambda: self.create_launcher(context, trial_overrides))

    def _run_study(
        self, overrides: Sequence[Override], machine: Machine, driver: SweepOptions
    ) -> int:
        """Run a study, whose stages get all overrides; return the exit code."""
        from clip_hparam.sweep.campaign import Campaign  # lazy: the tables of analysis, 0.3 s

        if driver.budget == "none":
            raise ValueError("a study needs a budget: try budget=8h")
        of_driver = ("budget", "dry_run")
        words = [str(o.input_line) for o in overrides if o.key_or_group not in of_driver]
        words += [w for w in self.composer.hydra_overrides if not w.startswith("hydra.mode")]
        workers = len(gpu_slots(driver, machine.device))
        budget = parse_duration(driver.budget) * workers
        design = designs.parse_design(split_design_levels(self.tree or {}))
        study = Campaign(design, tuple(words), Path(machine.runs), budget, workers)
        if driver.dry_run:
            study.show()
            return ExitCode.OK
        return study.run()

    def _run_search(
        self, overrides: Sequence[Override], machine: Machine, driver: SweepOptions
    ) -> int:
        """Run a search; return the exit code."""
        from clip_hparam.cli.hydra_app import search_request  # lazy: optuna, 0.5 s
        from clip_hparam.records.credentials import export_password
        from clip_hparam.sweep.search_driver import run_search

        swept = {o.key_or_group: o for o in overrides if o.is_sweep_override()}
        seeds = override_levels(swept.pop("seed")) if "seed" in swept else None
        varied = [str(o.input_line) for o in swept.values()]
        fixed = [str(o.input_line) for o in overrides if not o.is_sweep_override()]
        design = search_request.create_search_design(self.tree, self.options, varied, fixed)
        driver = search_request.with_worker_count(self.options, driver)
        recipe, _, _ = self.composer.compose(design.base)
        replicates = requested_seeds(seeds, driver, design)
        print_search_facts(recipe.data)
        base = create_base_spec(recipe, machine, driver)
        numbers = [recipe.seed if seed is None else seed for seed in replicates]
        search = search_request.create_search_spec(design, base, self.options, driver, numbers)
        context = partial(LaunchContext, search.id, search.name, search.runs, driver)
        export_password(str(self.options.storage or ""))
        return run_search(search, driver, lambda: self.create_launcher(context))

    def _plan_trials(
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
        planned: list[PlannedTrial] = []
        mistakes: dict[str, None] = {}
        for cell in cells:
            try:
                recipe, _, _ = self.composer.compose(cell.overrides)
                spec = create_trial_spec(recipe, machine, driver)
                for seed in replicates:
                    replicate = spec if seed is None else with_seed(spec, seed)
                    planned.append(PlannedTrial(cell, replicate))
            except USER_ERRORS as error:
                mistakes[user_message(error)] = None
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return planned

    def _create_design(self, swept: Levels, fixed: Sequence[Override]) -> tuple[Design, Levels]:
        """Return the design with the command line applied, and the swept keys it does not vary."""
        base = tuple(str(o.input_line) for o in fixed)
        if self.tree is None:
            if swept:
                return Design("_x_".join(sorted(swept)), "grid", base, swept), {}
            return Design("one", "list", base, steps=(Step("one", ()),)), {}
        design = designs.parse_design(split_design_levels(self.tree))
        given = swept | {o.key_or_group: [o.get_value_string()] for o in fixed}
        varied = {knob: levels for knob, levels in given.items() if knob in design.knobs}
        others = tuple(line for line in base if designs.key_of(line) not in varied)
        crossed = {knob: levels for knob, levels in swept.items() if knob not in varied}
        return designs.with_base(designs.with_levels(design, varied), others), crossed
