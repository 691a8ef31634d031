"""Modules that had another name until version 0.1.0: importing one raises its new name.

The finder is the last one in sys.meta_path, so that modules that exist are never affected.
Standard library only.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = Path(__file__).parent
PAIRS = """
alive=state analysis.axes=slice_parallel analysis.best=expected_best analysis.bits=correct_bits
analysis.curves=learning_curves analysis.export=recipe_file analysis.files=json_files
analysis.folder=trial_reader analysis.forest=forest_plot analysis.frame_schema=schema
analysis.heat=heatmap analysis.images=binomial analysis.imagewise=image_level
analysis.importing=import_table analysis.levels=knob_curve analysis.logs=published_logs
analysis.making=build analysis.notes=footnotes analysis.paper=published
analysis.payoff=search_payoff analysis.plots=ladder analysis.runs=runs_reader
analysis.study=trial_table analysis.sweeps=manifests analysis.tables.table=cell_table
analysis.tabulated=registry
analysis.verdicts=conclusions augment=batch_augmentation
augment_timm=timm_pipeline boxes=random_boxes build=factory cache=user_cache claim=lock counts=flops
disk=storage_errors draws=rng drive=driver drive_search=search_driver driver=sweep_options
encoder=classifier errors=error_messages fit=engine fraction=fractional groups=param_groups
images=dataset job=trial_spec kinds=expand launch.arrays=job_array launch.attempt=run
launch.follow=job_poller launch.foreign=launchers launch.options=launcher_options
launch.pages=huge_pages launch.pictures=preload launch.scheduler=queries launch.searching=worker
launch.snapshot=code_snapshot launch.team=processes launch.verdict=reconcile launch.workers=pool
layers=depth ledger=stage_results litter=garbage live=progress manifest=file_index mix=mixup
model.pretrained=weights_source model.weights=tower outcome=results packing=archive_writer
packs=archive parent=subprocesses pixels=normalization plan=resolve pretrained=weights_source
probe=throughput ranks=distributed sampled=sampling schedule=lr_schedule search.asked=search_options
search.goal=objective search.methods=samplers search.points=results search.search=spec
search.url=credentials search_view=search_tables searcher=search_request shift=distribution_shift
single=foreground sources=datasets status=name_lookup study=campaign timm_names=timm_keys
tiny.faces=typefaces tiny=model towers=architectures trees=image_folder verbs.again=retry
verbs.asking=inspect verbs.ending=cancel verbs.keeping=maintain verbs=command view=tables
weights=tower words=class_names zero_shot=zero_shot_head launch.slurm.tracker=job_poller
analysis.stats.screening=error_margin cli.commands.queries=name_lookup
cli.hydra_app.values_in_use=composed_values data.transforms.tensor=batch_augmentation
data.reading.samples=grey_levels data.reading.silence=silence_decoders
data.loading.requests=read_request analysis.report.page.remembered=cached_results
"""
RENAMED = dict(pair.split("=") for pair in PAIRS.split())
"""Old name, below clip_hparam -> last part of the new name, where it differs from the old."""


MOVED_NAMES = """
axes.draw_axes=figures.slice_parallel.plot_slices
axes.draw_parallel=figures.slice_parallel.plot_parallel_coordinates
axes.search=figures.parts.knob_axes.parallel_coordinates
best.selection_effect=evidence.selection.selection_effect
bootstrap.over_seeds_and_images=stats.bootstrap.seed_image_interval
compare.cell_trials=evidence.lookup.cell_trials compare.compare=evidence.compare.compare_cells
curves.curve=figures.learning_curves.learning_curve
curves.draw_cells=figures.learning_curves.plot_cell_curves
curves.draw_curve=figures.learning_curves.plot_learning_curve
frame.reported=frames.frame.reported_values
importing.to_study=frames.importing.import_table.to_trial_table
ladder.draw_ladder=figures.ladder.plot_ladder ladder.ladder_figure=figures.ladder.ladder_panels
levels.draw_knob=figures.knob_curve.plot_knob_curve
payoff.draw_best_of_n=figures.search_payoff.plot_best_of_n
payoff.draw_importance=figures.search_payoff.plot_importance
render.markdown=tables.render.to_markdown
summary.as_json=evidence.searches.summary.summary_dict
summary.text=evidence.searches.summary.format_summary
sweeps.newest=frames.manifests.output_names
"""
NAMES = dict(pair.split("=") for pair in MOVED_NAMES.split())
"""What notebooks of version 0.1.0 import, below analysis: old MODULE.NAME -> new one."""


class RenamedModuleFinder(MetaPathFinder):
    """Raise ModuleNotFoundError with the new name for a module that was renamed or moved."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, old = name.partition(".")
        if package != PACKAGE.name:
            return None
        modules = new_names(old)
        if not modules:
            return None
        moved = [f"; its {old_name} is {new}" for old_name, new in moved_names(old)]
        new = " or ".join(modules)
        raise ModuleNotFoundError(f"{name} is now {new}{''.join(moved)}", name=name)


def new_names(old: str) -> list[str]:
    """Return the modules, with their packages, that an old name below clip_hparam may mean."""
    folder = PACKAGE / "analysis" if old.startswith("analysis.") else PACKAGE
    stem = RENAMED.get(old, old.rpartition(".")[2])
    paths = (path.relative_to(PACKAGE.parent) for path in sorted(folder.rglob(f"{stem}.py")))
    return [
        ".".join(path.with_suffix("").parts) for path in paths if path.parent.name != "notebooks"
    ]


def moved_names(old: str) -> list[tuple[str, str]]:
    """Return the names that notebooks import from an old module, each with its new dotted name."""
    package, _, module = old.partition(".")
    if package != "analysis":
        return []
    return [
        (name.removeprefix(f"{module}."), f"{PACKAGE.name}.analysis.{new}")
        for name, new in NAMES.items()
        if name.startswith(f"{module}.")
    ]


def moved_attributes(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a `__getattr__` (PEP 562) for a package that was a module: old imports work.

    homes: old name -> MODULE.NAME below the package; .MODULE.NAME beside the package.
    """

    def getattr_of_package(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, attribute = homes[name].rpartition(".")
        return getattr(import_module(f".{module}", package), attribute)

    return getattr_of_package


def install() -> None:
    """Append the finder to sys.meta_path, once per process."""
    if not any(isinstance(finder, RenamedModuleFinder) for finder in sys.meta_path):
        sys.meta_path.append(RenamedModuleFinder())
