"""Write the tables, the figures and the report that a command asks for, family by family."""

import argparse
import sys
from pathlib import Path

from clip_hparam.analysis.evidence.ablations import ablation_of, split_figure_name
from clip_hparam.analysis.evidence.replicates import NotSweptError, count_missing_runs
from clip_hparam.analysis.evidence.studies.study import stages_of, study_names
from clip_hparam.analysis.frames.frame import Frames, of_sweeps
from clip_hparam.analysis.frames.importing.cells import MAX_CELLS
from clip_hparam.analysis.frames.manifests import SweepManifest, output_names
from clip_hparam.analysis.report import build
from clip_hparam.analysis.report.build import OutputKind
from clip_hparam.analysis.report.page.trials import MAX_COMMANDS
from clip_hparam.cli.analysis_app.figure_arguments import combine_kinds, figure_look
from clip_hparam.cli.analysis_app.output_choice import (
    choose_outputs,
    divide_names,
    family_parts,
    print_shared_names,
    superseded_names,
)
from clip_hparam.cli.commands.command import UsageError
from clip_hparam.cli.commands.name_lookup import print_ambiguity
from clip_hparam.config.knob import suggest
from clip_hparam.records.manifests.lookup import find_sweeps
from clip_hparam.records.record import Record


def write_outputs(frames: Frames, arguments: argparse.Namespace) -> int:
    """Write tables or figures; return the number of planned runs that are missing."""
    parts = list(family_parts(frames, arguments.family, arguments.out))
    if arguments.what == "figures":
        arguments.names = combine_kinds(arguments.names, frames)
    if not arguments.names:
        return sum([_write_part(part, out, [], arguments) for part, out in parts])
    named = divide_names(arguments.names, [part for part, _ in parts])
    return sum(
        [
            _write_part(part, out, names, arguments)
            for (part, out), names in zip(parts, named, strict=True)
            if names
        ]
    )


def write_report(frames: Frames, arguments: argparse.Namespace) -> None:
    """Write the report of each family, or of one sweep or study, and print its path."""
    from clip_hparam.analysis.report import report  # lazy: matplotlib and jinja2, 0.6 s

    name = "report"
    if arguments.sweep is not None:
        chosen = _named_sweeps(frames, arguments.sweep)
        named = {sweep.sweep_id: name for name, sweep in output_names(frames.sweeps).items()}
        only = named[chosen[0].sweep_id] if len(chosen) == 1 else arguments.sweep
        frames, name = of_sweeps(frames, chosen), f"{only}-report"
    for part, out in family_parts(frames, arguments.family, arguments.out):
        print(report.write_report(part, out, rerun_overrides(part), name))


def _named_sweeps(frames: Frames, name: str) -> list[SweepManifest]:
    """Return the newest sweep that a name or an id means, or the stages of a study.

    Raises:
        UsageError: neither has the name.
    """
    if stages := stages_of(frames, name):
        return list(stages.values())
    if found := find_sweeps(frames.sweeps, name):
        print_ambiguity(frames.sweeps, name)
        return found[-1:]
    known = {*study_names(frames), *(sweep.name for sweep in frames.sweeps)}
    raise UsageError(f"no sweep and no study is called {name}: {suggest(name, known)}")


def _write_part(frames: Frames, out: Path, typed: list[str], arguments: argparse.Namespace) -> int:
    """Write the tables or figures of one family; return the number of runs that are missing."""
    kind = build.output_kind(arguments.what, frames, figure_look(arguments))
    if typed:
        names = choose_outputs(typed, kind, frames)
        return sum([_write_output(kind, frames, name, out, arguments) for name in names])
    if not kind.default_names and frames.imported is not None:
        raise UsageError(
            f"the imported table has no {arguments.what}: figures need two rows with"
            f" {frames.imported.objective}, tables up to {MAX_CELLS:,} cells"
        )
    print_shared_names(frames)
    older = superseded_names(frames)
    names = [name for name in kind.default_names if name not in older]
    missing = sum([_write_output(kind, frames, name, out, arguments) for name in names])
    for name in older:
        try:
            _write_output(kind, frames, name, out, arguments)
        except ValueError as error:  # such as a search that was stopped after its first point
            print(f"{name}: not written, {error}", file=sys.stderr)
    return missing


def _write_output(
    kind: OutputKind, frames: Frames, name: str, out: Path, arguments: argparse.Namespace
) -> int:
    """Write a table or figure if its inputs changed; return the number of missing runs."""
    try:
        if not arguments.all and build.up_to_date_files(kind, frames, name, out):
            print(f"{name}: unchanged, not written again", file=sys.stderr)
        else:
            paths = build.build_output(kind, frames, name, out)
            print(*paths, sep="\n")
    except NotSweptError as error:
        print(f"{arguments.prog}: {error}", file=sys.stderr)
        return 1
    named = output_names(frames.sweeps)
    sweep, _ = split_figure_name(name, named)
    return count_missing_runs(frames, ablation_of(frames, sweep)) if sweep in named else 0


def rerun_overrides(frames: Frames) -> dict[str, tuple[str, ...]]:
    """Return the overrides that run each recorded trial again, by its id."""
    from clip_hparam.cli.hydra_app import rerun  # lazy: Hydra, 0.3 s

    planned = rerun.planned_overrides(frames.sweeps)
    folders = frames.trials["folder"].dropna().head(MAX_COMMANDS)
    records = (Record(Path(folder).parent, Path(folder).name) for folder in folders)
    return {
        record.trial_id: rerun.rerun_trial(record, planned).overrides
        for record in records
        if record.recipe() is not None
    }
