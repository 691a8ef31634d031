"""Which tables and figures are written: names, ids and their starts, and names that are shared."""

import sys

from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import find_sweeps, newest_by_name, output_names
from clip_hparam.analysis.report.build import OutputKind
from clip_hparam.cli.commands.command import UsageError
from clip_hparam.cli.commands.queries import print_ambiguity
from clip_hparam.config.knob import suggest


def choose_outputs(names: list[str], kind: OutputKind, frames: Frames) -> list[str]:
    """Return the names of the files; a sweep may be named by its id or the start of one.

    Raises:
        UsageError: a name is unknown.
    """
    print_ambiguity(frames.sweeps, *names)
    sweeps = {sweep.sweep_id: name for name, sweep in output_names(frames.sweeps).items()}
    found: list[str] = []
    for name in names:
        named = find_sweeps(frames.sweeps, name)
        if not named and name not in kind.names:
            raise UsageError(f"{name} is none of the {kind.what}: {suggest(name, kind.names)}")
        found.append(sweeps[named[-1].sweep_id] if named else name)
    return found


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
