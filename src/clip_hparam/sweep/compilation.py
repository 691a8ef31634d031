"""Resolve `machine.compile=auto` once for all cells of a sweep, or for all points of a search."""

from dataclasses import replace

from clip_hparam.config.knob import AUTO
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.launch.base import Launcher
from clip_hparam.launch.compile_choice import choose_for
from clip_hparam.planning.compilation import CompileChoice, resolve_compile
from clip_hparam.planning.resolve import resolve
from clip_hparam.search.spec import SearchManifest, SearchSpec
from clip_hparam.sweep.sweep import Sweep


def with_compile_choice(sweep: Sweep, launcher: Launcher) -> tuple[Sweep, CompileChoice]:
    """Return the sweep with `machine.compile` resolved, the reason in the notes of its plan."""
    choice = choose_for(list(sweep.specs.values()), not launcher.survives_driver)
    planned = [replace(plan, spec=resolve_compile(plan.spec, choice)) for plan in sweep.planned]
    notes = sweep.notes if choice.is_obvious else (*sweep.notes, choice.reason)
    return replace(sweep, planned=planned, notes=notes), choice


def with_compile_choice_of_search(
    search: SearchSpec, manifest: SearchManifest, launcher: Launcher
) -> SearchSpec:
    """Return the search with `machine.compile` resolved; print why where it is not obvious.

    A search that is continued keeps its choice. Each point is taken to be as long as the base.
    """
    base = search.base
    if base.machine.compile != AUTO:
        return search
    if manifest.path.exists():
        earlier = manifest.load_search().base.machine.compile
        if earlier != AUTO:
            machine = replace(base.machine, compile=earlier)
            return replace(search, base=replace(base, machine=machine))
    point = replace(base, recipe=resolve(base.recipe))
    specs = [point] * (search.n_trials * len(search.seeds))
    choice = choose_for(specs, not launcher.survives_driver)
    if not choice.is_obvious:
        print_wrapped(choice.reason)
    return replace(search, base=resolve_compile(base, choice))
