"""Choose the tables and figures to write, by the names, ids or starts of ids that were typed."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from clip_hparam.analysis.evidence.ablations import split_figure_name
from clip_hparam.analysis.frames.frame import Frames, of_family
from clip_hparam.analysis.frames.manifests import find_sweeps, newest_by_name, output_names
from clip_hparam.analysis.report.build import OutputKind
from clip_hparam.cli.commands.command import UsageError
from clip_hparam.cli.commands.name_lookup import print_ambiguity
from clip_hparam.config.knob import suggest
from clip_hparam.design.families import real_family


def choose_outputs(names: list[str], kind: OutputKind, frames: Frames) -> list[str]:
    """Return the names of the files; a sweep may be named by its id or the start of one.

    Raises:
        UsageError: a name is unknown.
    """
    sweeps = {sweep.sweep_id: name for name, sweep in output_names(frames.sweeps).items()}
    print_ambiguity(frames.sweeps, *(split_figure_name(n, sweeps.values())[0] for n in names))
    found: list[str] = []
    for name in names:
        sweep, figure = split_figure_name(name, sweeps.values())
        named = find_sweeps(frames.sweeps, sweep)
        if not named and (figure or name not in kind.names):
            raise UsageError(f"{sweep} is not one of the {kind.what}: {suggest(sweep, kind.names)}")
        written = sweeps[named[-1].sweep_id] if named else name
        found.append(f"{written}-{figure}" if figure else written)
    return found


def validate_planned(names: Sequence[str], kind: OutputKind) -> None:
    """Raise UsageError for a name that is not of a table, a figure or a shipped design.

    For folders of records without a sweep, where no other name can have a meaning.
    """
    known = {*kind.names, *_option_names("sweeps")}
    for name in names:
        if name not in known:
            raise UsageError(
                f"{name} is not one of the {kind.what}, and no sweep is on record:"
                f" {suggest(name, known)}"
            )


def family_parts(frames: Frames, family: str | None, out: Path) -> Iterator[tuple[Frames, Path]]:
    """Yield the frames of each family with the folder of its files: OUT, or OUT/FAMILY.

    family: the only family to yield; None: all that are on record.

    Raises:
        UsageError: the family is unknown.
    """
    recorded = sorted({sweep.family for sweep in frames.sweeps}) or [""]
    if family is not None:
        known = {*family_names(), *recorded} - {""}
        if family not in known:
            raise UsageError(f"--family {family} is unknown: {suggest(family, known)}")
        recorded = [real_family(family)]
    for name in recorded:
        yield of_family(frames, name), out / name


def family_names() -> list[str]:
    """Return the names of the families in the package, without importing Hydra."""
    return _option_names("family")


def _option_names(group: str) -> list[str]:
    folder = Path(import_module("clip_hparam.cli.hydra_app.conf").__path__[0]) / group
    return sorted(path.stem for path in folder.glob("*.yaml"))


def divide_names(names: Sequence[str], parts: Sequence[Frames]) -> list[list[str]]:
    """Return for each part the names of its sweeps; names of no sweep belong to the first part."""
    found = [[name for name in names if _names_sweep(part, name)] for part in parts]
    unknown = [name for name in names if not any(name in listed for listed in found)]
    return [found[0] + unknown, *found[1:]]


def _names_sweep(frames: Frames, name: str) -> bool:
    """Return whether the name is that of a sweep, or of a figure on demand of one."""
    sweep, _ = split_figure_name(name, ())
    return bool(find_sweeps(frames.sweeps, name) or find_sweeps(frames.sweeps, sweep))


def superseded_names(frames: Frames) -> list[str]:
    """Return the output names of sweeps with a newer sweep of their name; none is ever missing."""
    newest = {sweep.sweep_id for sweep in newest_by_name(frames.sweeps).values()}
    named = output_names(frames.sweeps)
    return [name for name, sweep in named.items() if sweep.sweep_id not in newest]


def print_shared_names(frames: Frames) -> None:
    """Print under which names the sweeps that share a name are written."""
    by_name: dict[str, list[str]] = {}
    for written, sweep in output_names(frames.sweeps).items():
        by_name.setdefault(sweep.name, []).append(f"{written} is {sweep.sweep_id} ({sweep.title})")
    for name, listed in by_name.items():
        if len(listed) > 1:
            print(f"{len(listed)} sweeps are called {name}: {'; '.join(listed)}", file=sys.stderr)
