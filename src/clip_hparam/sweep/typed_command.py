"""The command that runs a recorded sweep again, as it was typed."""

import shlex
from pathlib import Path
from typing import NamedTuple

from clip_hparam.config.machine import Machine
from clip_hparam.config.text.override_words import (
    CHECKOUT_PROGRAM,
    INSTALLED_PROGRAM,
    format_override,
    unquote,
)
from clip_hparam.design.design import merged_overrides
from clip_hparam.records.manifests.manifest import SweepManifest

RUNS_KEY = "machine.runs"


class TypedCommand(NamedTuple):
    """A command: `folder` to type it in, None for the current one; program; overrides."""

    folder: str | None
    program: tuple[str, ...]
    overrides: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return [*self.program, *self.overrides]

    def __str__(self) -> str:
        at = f"cd {shlex.quote(self.folder)} && " if self.folder else ""
        return f"{at}{shlex.join(self.words)}"


def typed_command(manifest: SweepManifest, runs: Path) -> TypedCommand:
    """Return the command of a sweep whose records are in `runs`.

    Relative paths in the command belong to the folder in which it was typed. machine.runs is added
    where the command would use another folder of records.
    """
    elsewhere = bool(manifest.folder) and not _is_here(manifest.folder)
    folder = manifest.folder if elsewhere and Path(manifest.folder).is_dir() else None
    overrides = manifest.command[1:]
    if not _uses(runs, overrides, folder):
        at = str(runs.absolute() if folder else runs)
        overrides = merged_overrides(overrides, [format_override(RUNS_KEY, at)])
    return TypedCommand(folder, _program(manifest, folder), tuple(overrides))


def _program(manifest: SweepManifest, folder: str | None) -> tuple[str, ...]:
    """Return the program that was typed, if its script is still there."""
    script = manifest.command[0] if manifest.command else ""
    is_script = Path(script).name == CHECKOUT_PROGRAM[-1]
    if is_script and (Path(folder or ".") / script).is_file():
        return CHECKOUT_PROGRAM[0], script
    return INSTALLED_PROGRAM


def _uses(runs: Path, overrides: tuple[str, ...], folder: str | None) -> bool:
    """Return whether overrides that are typed in a folder are known to keep records in `runs`.

    A file of machine=FILE may name another folder.
    """
    if any(word.startswith("machine=") for word in overrides):
        return False
    given = [word for word in overrides if word.startswith(f"{RUNS_KEY}=")]
    own = unquote(given[-1].partition("=")[2]) if given else Machine.runs
    return (Path(folder or ".") / Path(own).expanduser()).resolve() == runs.resolve()


def _is_here(folder: str) -> bool:
    return Path(folder).resolve() == Path.cwd().resolve()
