"""Tables and figures by name -> files, made again only where what they are made from has changed.

Beside the results lies `.made/WHAT-NAME.json`: a digest of all that went in (records, manifests,
our own code) and of each file that came out. Losing it costs time, nothing else.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.analysis.frames.cache import trial_signature
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.records.atomic import read_json, sha256_of, write_json

STAMP_FOLDER = ".made"
LIBRARIES = ("numpy", "scipy", "pandas", "matplotlib", "optuna")


class OutputKind(NamedTuple):
    """Tables or figures: all names, the default names, and the function that writes one."""

    what: str
    names: list[str]
    default_names: list[str]
    write: Callable[[str, Path], list[Path]]


def output_kind(what: str, frames: Frames) -> OutputKind:
    """Imports what it needs: matplotlib for figures, jinja2 for tables."""
    if what == "figures":
        from clip_hparam.analysis.figures import registry as figures
        from clip_hparam.analysis.figures import style

        def draw(name: str, out: Path) -> list[Path]:
            return style.save_figure(figures.plot_figure(frames, name), out, name)

        return OutputKind(what, figures.figure_names(frames), figures.default_figures(frames), draw)
    from clip_hparam.analysis.tables import registry, render

    def tabulate(name: str, out: Path) -> list[Path]:
        made = registry.tables_of(frames, name)
        return [path for table in made for path in render.write_table(table, out)]

    alone = [] if frames.imported else list(registry.FRAME_TABLES)
    swept = list(newest_by_name(frames.sweeps))
    return OutputKind(
        what, registry.table_names(frames), list(dict.fromkeys([*swept, *alone])), tabulate
    )


def up_to_date_files(made: OutputKind, frames: Frames, name: str, out: Path) -> list[Path]:
    """The files of an earlier call, if they are what would be written now; else none."""
    known = read_json(_stamp_path(made, name, out)) or {}
    files: dict[str, str] = known.get("files", {})
    if known.get("from") != _input_digest(frames, name):
        return []
    paths = {out / file: digest for file, digest in files.items()}
    same = all(path.is_file() and sha256_of(path) == digest for path, digest in paths.items())
    return list(paths) if same else []


def build_output(made: OutputKind, frames: Frames, name: str, out: Path) -> list[Path]:
    """What was written. Raises NotSweptError, ValueError, and OSError."""
    paths = made.write(name, out)
    files = {path.name: sha256_of(path) for path in paths}
    write_json(_stamp_path(made, name, out), {"from": _input_digest(frames, name), "files": files})
    return paths


def _stamp_path(made: OutputKind, name: str, out: Path) -> Path:
    return out / STAMP_FOLDER / f"{made.what}-{name}.json"


def _input_digest(frames: Frames, name: str) -> str:
    """Of the sweep of this name and its trials; of everything where none has this name."""
    sweep = newest_by_name(frames.sweeps).get(name)
    sweeps = frames.sweeps if sweep is None else [sweep]
    wanted = {trial for one in sweeps for cell in one.cells for trial in cell.trials.values()}
    parts = [
        _code_digest(),
        *map(repr, sweeps),
        *_trial_signatures(frames, None if sweep is None else wanted),
    ]
    if frames.imported is not None:
        parts += [repr(frames.imported[1:]), frames.imported.rows.to_csv()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _trial_signatures(frames: Frames, wanted: set[str] | None) -> Iterator[Any]:
    """Name and signature of each trial that has a folder."""
    known = frames.trials[["trial_id", "folder"]].dropna()
    for trial_id, folder in known.itertuples(index=False):
        if wanted is None or trial_id in wanted:
            yield trial_id, trial_signature(folder)


@cache
def _code_digest() -> str:
    """Of the analysis itself and the libraries that it draws and computes with."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256(" ".join(map(version, LIBRARIES)).encode())
    for path in sorted([*root.rglob("*.py"), *root.glob("data/*")]):
        found.update(path.read_bytes())
    return found.hexdigest()
