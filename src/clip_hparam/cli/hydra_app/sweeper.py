"""Hydra sweeper: turns a design and the command line into trials, and runs them."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from clip_hparam.cli.hydra_app.compose import Composer, create_base_spec
from clip_hparam.cli.hydra_app.data_facts import print_plan_facts, print_search_facts
from clip_hparam.cli.hydra_app.families import as_typed
from clip_hparam.cli.hydra_app.grammar.design_files import read_design_tree, with_references
from clip_hparam.cli.hydra_app.grammar.levels import cross_cells, first_word, override_levels
from clip_hparam.cli.hydra_app.grammar.references import refuse_resolvers
from clip_hparam.cli.hydra_app.grammar.swept_keys import (
    shared_overrides,
    validate_typed,
)
from clip_hparam.cli.hydra_app.launchers import create_launcher
from clip_hparam.cli.hydra_app.requests.cells import (
    CellPlanner,
    requested_race,
    requested_seeds,
    words_of_trials,
)
from clip_hparam.cli.hydra_app.requests.design_request import (
    create_design,
    select_of_family,
    with_name,
)
from clip_hparam.cli.hydra_app.schema import to_plain
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.machine import Machine
from clip_hparam.config.options.search_options import SearchOptions
from clip_hparam.config.options.sweep_options import SweepOptions, tag_list
from clip_hparam.config.text.duration import parse_duration
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.design import design as designs
from clip_hparam.design.design import merged_overrides
from clip_hparam.design.expand import design_notes, expand_design, repeated_levels
from clip_hparam.design.families import family_of
from clip_hparam.design.knob_levels import repeated_level_notes
from clip_hparam.design.typed_overrides import (
    reach_notes,
    refuse_added_ranges,
    refuse_searched,
    replaced_step_notes,
)
from clip_hparam.launch.base import LaunchContext
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.sweep.driver import run_sweep
from clip_hparam.sweep.sweep import Sweep, sweep_title

OVERRIDE_PARTS = ("base", "knobs", "steps")
"""Parts of a design file that hold overrides and levels."""
NON_RECIPE_KEYS = {field.name for field in fields(SweepOptions)} | {"machine"}
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
        self._read_design(config)
        self.create_launcher = partial(create_launcher, config, hydra_context, task_function)

    def _read_design(self, config: DictConfig) -> None:
        """Take the references of the design from the config: Hydra has resolved them by now."""
        raw: Any = OmegaConf.to_container(config.hydra.sweeper)
        refuse_resolvers(raw)
        if self.tree is not None:
            parts = {key: self.tree[key] for key in OVERRIDE_PARTS if key in self.tree}
            given = {key: raw["design"][key] for key in parts}
            is_search = self.options.is_search or self.tree.get("kind") in ("search", "study")
            tree = {**self.tree, **with_references(given, parts)}
            typed = [first_word(o) for o in self.composer.parse(config.hydra.overrides.task)]
            tree = select_of_family(tree, typed, self.composer)
            self.tree = read_design_tree(tree, is_search=is_search)

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep, search or study that these overrides ask for.

        Raises:
            SweepEnded: always, with the exit code.
            ValueError: the overrides and the design make no sweep.
        """
        kind = (self.tree or {}).get("kind")
        of_design = shared_overrides(self.tree or {})
        if self.tree and of_design and not (self.options.is_search or kind == "search"):
            base = [word for word in self.tree["base"] if word not in of_design]
            self.tree = {**self.tree, "base": base}
        parsed = self.composer.parse([*of_design, *as_typed(arguments)])
        validate_typed(parsed)
        overrides = [o for o in parsed if o.key_or_group != "sweeps"]
        keys = [o for o in overrides if o.key_or_group.partition(".")[0] in NON_RECIPE_KEYS]
        cell_overrides = [o for o in overrides if o not in keys]
        shared = [str(o.input_line) for o in keys]
        self.planner = CellPlanner(self.composer, shared)
        _, machine, driver = self.composer.compose(shared)
        if kind == "study":
            raise SweepEnded(self._run_study(overrides, machine, driver))
        if self.options.is_search or kind == "search":
            raise SweepEnded(self._run_search(cell_overrides, machine, driver))
        raise SweepEnded(self._run_design(cell_overrides, machine, driver))

    def _run_design(
        self, overrides: Sequence[Override], machine: Machine, driver: SweepOptions
    ) -> int:
        """Run a design, or the grid of the swept keys; return the exit code."""
        swept = {o.key_or_group: override_levels(o) for o in overrides if o.is_sweep_override()}
        seeds = swept.pop("seed", None)
        fixed = [o for o in overrides if not o.is_sweep_override()]
        design, crossed = create_design(self.tree, swept, fixed)
        design = with_name(design, driver)
        race = requested_race(seeds, driver, design)
        replicates = race.seeds if race else requested_seeds(seeds, driver, design)
        expanded = expand_design(design)
        refuse_added_ranges(design, crossed)
        reached = reach_notes(design, [str(o.input_line) for o in fixed])
        reached += replaced_step_notes(design, expanded, crossed)
        cells = list(cross_cells(expanded, crossed))
        machine = self.planner.shared_machine(cells[0], replicates[0], machine)
        for note in (*repeated_levels(design), *reached):
            print_wrapped(note)
        planned = self.planner.plan(cells, replicates, machine, driver)
        print_plan_facts(plan.spec.recipe for plan in planned if plan.seed == planned[0].seed)
        notes = (*design_notes(design), *([race.note] if race else []))
        typed = fixed if self.tree is None else [o for o in overrides if o.key_or_group != "seed"]
        title = sweep_title(design.name, [str(o.input_line) for o in typed])
        tags = tag_list(driver.tags)
        family = family_of(cells[0].overrides)
        sweep = Sweep(design.name, design.kind, planned, notes, race, family, title, tags)
        trial_overrides = {
            plan.trial_id: merged_overrides(plan.spec.overrides, [f"seed={plan.seed}"])
            for plan in sweep.planned
        }
        context = partial(LaunchContext, sweep.id, sweep.name, sweep.runs, driver)
        return run_sweep(sweep, driver, lambda: self.create_launcher(context, trial_overrides))

    def _run_study(
        self, overrides: Sequence[Override], machine: Machine, driver: SweepOptions
    ) -> int:
        """Run a study, whose stages get all overrides; return the exit code."""
        from clip_hparam.sweep.campaigns.campaign import (
            Campaign,  # lazy: the tables of analysis, 0.3 s
        )

        if driver.budget == "none":
            raise ValueError("a study needs a budget: try budget=8h")
        of_driver = ("budget", "dry_run", "name")
        words = [str(o.input_line) for o in overrides if o.key_or_group not in of_driver]
        hydra_words = [w for w in self.composer.hydra_overrides if not w.startswith("hydra.mode")]
        workers = len(gpu_slots(driver, machine.device))
        budget = parse_duration(driver.budget) * workers
        design = with_name(designs.parse_design(self.tree or {}), driver)
        self.planner.refuse_mistakes(design.base)
        self.planner.refuse_varied_references([*design.base, *words], [*design.knobs, "seed"])
        refuse_searched(design, words)
        study = Campaign(design, (*words, *hydra_words), Path(machine.runs), budget, workers)
        if driver.dry_run:
            study.show()
            return ExitCode.OK
        return study.run()

    def _run_search(
        self, overrides: Sequence[Override], machine: Machine, driver: SweepOptions
    ) -> int:
        """Run a search; return the exit code."""
        from clip_hparam.cli.hydra_app.requests import search_request  # lazy: optuna, 0.5 s
        from clip_hparam.records.credentials import export_password
        from clip_hparam.sweep.search_driver import run_search

        swept = {o.key_or_group: o for o in overrides if o.is_sweep_override()}
        seeds = override_levels(swept.pop("seed")) if "seed" in swept else None
        varied = [str(o.input_line) for o in swept.values()]
        fixed = [str(o.input_line) for o in overrides if not o.is_sweep_override()]
        design = search_request.create_search_design(self.tree, self.options, varied, fixed)
        design = with_name(design, driver)
        if driver.replay:
            raise ValueError("replay=true is for trials and designs: take the command of a point")
        driver = search_request.with_worker_count(self.options, driver)
        words = designs.merged_overrides(self.planner.shared, design.base)
        self.planner.refuse_mistakes(words)
        recipe, machine, _ = self.composer.compose(words)
        replicates = requested_seeds(seeds, driver, design)
        seeded = [] if replicates[0] is None else ["seed"]
        self.planner.refuse_varied_references(words, [*design.knobs, *seeded])
        print_search_facts(recipe.data)
        base = create_base_spec(recipe, machine, driver, words_of_trials(self.planner.shared))
        numbers = [recipe.seed if seed is None else seed for seed in replicates]
        search = search_request.create_search_spec(design, base, self.options, driver, numbers)
        title = sweep_title(search.name, [*varied, *fixed])
        search = replace(search, title=title, tags=tag_list(driver.tags))
        for note in repeated_level_notes(search.levels):
            print_wrapped(note)
        context = partial(LaunchContext, search.id, search.name, search.runs, driver)
        export_password(str(self.options.storage or ""))
        return run_search(search, driver, lambda: self.create_launcher(context))
