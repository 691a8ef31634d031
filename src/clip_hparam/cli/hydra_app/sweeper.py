"""Hydra sweeper: turns a design and the command line into trials, and runs them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from clip_hparam.cli.hydra_app.compose import (
    Composer,
    create_base_spec,
    create_trial_spec,
    with_seed,
)
from clip_hparam.cli.hydra_app.data_facts import print_plan_facts, print_search_facts
from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
from clip_hparam.cli.hydra_app.grammar.design_files import read_design_tree, with_references
from clip_hparam.cli.hydra_app.grammar.levels import Levels, cross_cells, override_levels
from clip_hparam.cli.hydra_app.grammar.references import refuse_resolvers
from clip_hparam.cli.hydra_app.grammar.swept_keys import (
    not_shared_message,
    shared_overrides,
    validate_typed,
)
from clip_hparam.cli.hydra_app.grammar.values import word_mistakes
from clip_hparam.cli.hydra_app.launchers import create_launcher
from clip_hparam.cli.hydra_app.replicates import requested_race, requested_seeds
from clip_hparam.cli.hydra_app.schema import to_plain
from clip_hparam.config.duration import parse_duration
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import knobs
from clip_hparam.config.search_options import SearchOptions
from clip_hparam.config.sweep_options import SweepOptions, tag_list
from clip_hparam.config.trial_spec import PER_TRIAL_OPTIONS, TrialSpec
from clip_hparam.design import design as designs
from clip_hparam.design.design import Cell, Design, Step, merged_overrides
from clip_hparam.design.expand import design_notes, expand_design, repeated_levels
from clip_hparam.design.families import depends_on_family, family_of, select_family
from clip_hparam.design.knob_levels import repeated_level_notes
from clip_hparam.design.validation import validate_name
from clip_hparam.launch.base import LaunchContext
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.sweep.driver import run_sweep
from clip_hparam.sweep.sweep import PlannedTrial, Sweep, sweep_title

OVERRIDE_PARTS = ("base", "knobs", "steps")
"""Parts of a design file that hold overrides and levels."""
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
            tree = self._of_family(tree, list(config.hydra.overrides.task))
            self.tree = read_design_tree(tree, is_search=is_search)

    def _of_family(self, tree: dict[str, Any], typed: list[str]) -> dict[str, Any]:
        """Return what a design holds for the family that is typed, or that its base names.

        Raises:
            ValueError: it holds nothing for the family, or the recipe is of another one.
        """
        base = tree.get("base")
        words = merged_overrides(base if isinstance(base, list) else [], typed)
        family = family_of(words)
        if not depends_on_family(tree, self.composer.families):
            return tree
        values = self.composer.recipe_family(words)
        if values != family:
            raise ValueError(
                f"design {tree.get('name')} is planned for family={family}, and the recipe holds"
                f" values of family={values}: add family={values}"
            )
        return select_family(tree, family, self.composer.families)

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
        parsed = self.composer.parse([*of_design, *arguments])
        validate_typed(parsed)
        overrides = [o for o in parsed if o.key_or_group != "sweeps"]
        keys = [o for o in overrides if o.key_or_group.partition(".")[0] in NON_RECIPE_KEYS]
        cell_overrides = [o for o in overrides if o not in keys]
        self.shared = [str(o.input_line) for o in keys]
        _, machine, driver = self.composer.compose(self.shared)
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
        design, crossed = self._create_design(swept, fixed)
        design = _with_name(design, driver)
        race = requested_race(seeds, driver, design)
        replicates = race.seeds if race else requested_seeds(seeds, driver, design)
        cells = list(cross_cells(expand_design(design), crossed))
        machine = self._shared_machine(cells[0], replicates[0], machine)
        for note in repeated_levels(design):
            print(note)
        planned = self._plan_trials(cells, replicates, machine, driver)
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
        from clip_hparam.sweep.campaign import Campaign  # lazy: the tables of analysis, 0.3 s

        if driver.budget == "none":
            raise ValueError("a study needs a budget: try budget=8h")
        of_driver = ("budget", "dry_run", "name")
        words = [str(o.input_line) for o in overrides if o.key_or_group not in of_driver]
        hydra_words = [w for w in self.composer.hydra_overrides if not w.startswith("hydra.mode")]
        workers = len(gpu_slots(driver, machine.device))
        budget = parse_duration(driver.budget) * workers
        design = _with_name(designs.parse_design(self.tree or {}), driver)
        self._refuse_mistakes(design.base)
        self._refuse_varied_references([*design.base, *words], [*design.knobs, "seed"])
        study = Campaign(design, (*words, *hydra_words), Path(machine.runs), budget, workers)
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
        design = _with_name(design, driver)
        if driver.replay:
            raise ValueError("replay=true is for trials and designs: take the command of a point")
        driver = search_request.with_worker_count(self.options, driver)
        words = designs.merged_overrides(self.shared, design.base)
        self._refuse_mistakes(words)
        recipe, machine, _ = self.composer.compose(words)
        replicates = requested_seeds(seeds, driver, design)
        seeded = [] if replicates[0] is None else ["seed"]
        self._refuse_varied_references(words, [*design.knobs, *seeded])
        print_search_facts(recipe.data)
        base = create_base_spec(recipe, machine, driver, _words_of_trials(self.shared))
        numbers = [recipe.seed if seed is None else seed for seed in replicates]
        search = search_request.create_search_spec(design, base, self.options, driver, numbers)
        title = sweep_title(search.name, [*varied, *fixed])
        search = replace(search, title=title, tags=tag_list(driver.tags))
        for note in repeated_level_notes(search.levels):
            print(note)
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
        self._refuse_mistakes(word for cell in cells for word in cell.overrides)
        for cell in cells:
            try:
                specs = self._cell_specs(cell, replicates, machine, driver)
                planned += [PlannedTrial(cell, spec) for spec in specs]
            except USER_ERRORS as error:
                mistakes[user_message(error)] = None
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return planned

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
            typed = (*_words_of_trials(self.shared), *cell.overrides)
            spec = create_trial_spec(recipe, machine, driver, typed)
            return [spec if seed is None else with_seed(spec, seed) for seed in replicates]
        specs = []
        for seed in replicates:
            words = self._words_of(cell, seed)
            recipe, *shared = self.composer.compose(words)
            if shared != [machine, driver]:
                keys = self.composer.dependent_keys(words, knobs())
                raise ValueError(not_shared_message(keys))
            specs.append(create_trial_spec(recipe, machine, driver, _words_of_trials(words)))
        return specs

    def _words_of(self, cell: Cell, seed: int | None) -> designs.Overrides:
        seeds = [] if seed is None else [f"seed={seed}"]
        return designs.merged_overrides(self.shared, cell.overrides, seeds)

    def _shared_machine(self, cell: Cell, seed: int | None, machine: Machine) -> Machine:
        """Return the machine, with references to knobs that have one value in the whole sweep."""
        if self.composer.dependent_keys(self.shared, knobs()):
            _, machine, _ = self.composer.compose(self._words_of(cell, seed))
        return machine

    def _refuse_varied_references(self, words: Sequence[str], varied: Collection[str]) -> None:
        """Raise ValueError for a key that refers to a knob whose value a search chooses."""
        if keys := self.composer.dependent_keys(words, varied):
            raise ValueError(
                f"{keys[0]} refers to a knob that a search or study varies ({', '.join(varied)}):"
                f" search {keys[0]} too, or give it a value"
            )

    def _refuse_mistakes(self, words: Iterable[str]) -> None:
        """Raise ValueError for overrides of a design that have a wrong key or value; list all."""
        if mistakes := list(word_mistakes(self.composer.parse([*dict.fromkeys(words)]))):
            raise ValueError("\n".join(dict.fromkeys(mistakes)))

    def _create_design(self, swept: Levels, fixed: Sequence[Override]) -> tuple[Design, Levels]:
        """Return the design with the command line applied, and the swept keys it does not vary."""
        base = tuple(str(o.input_line) for o in fixed)
        if self.tree is None:
            if swept:
                return Design("_x_".join(sorted(swept)), "grid", base, swept), {}
            return Design("one", "list", base, steps=(Step("one", ()),)), {}
        design = designs.parse_design(self.tree)
        given = swept | {o.key_or_group: [o.get_value_string()] for o in fixed}
        varied = {knob: levels for knob, levels in given.items() if knob in design.knobs}
        others = tuple(line for line in base if designs.key_of(line) not in varied)
        crossed = {knob: levels for knob, levels in swept.items() if knob not in varied}
        return designs.with_base(designs.with_levels(design, varied), others), crossed


def _with_name(design: Design, driver: SweepOptions) -> Design:
    """Return the design with the name that was typed. Raises ValueError if it names no file."""
    if driver.name is None:
        return design
    validate_name(driver.name)
    return replace(design, name=driver.name)


def _words_of_trials(words: Sequence[str]) -> list[str]:
    """Return the overrides that each trial receives, without those of the driver alone."""
    of_driver = DRIVER_KEYS.difference(PER_TRIAL_OPTIONS)
    return [word for word in words if designs.key_of(word) not in of_driver]
