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

from clip_hparam.analysis.frames.cache import signature
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import newest
from clip_hparam.records.atomic import read_json, sha256_of, write_json

KEPT = ".made"
LIBRARIES = ("numpy", "scipy", "pandas", "matplotlib", "optuna")


class Kind(NamedTuple):
    """Tables, or figures: the names one may ask for, those made unasked, and what makes one."""

    what: str
    names: list[str]
    unasked: list[str]
    write: Callable[[str, Path], list[Path]]


def kind(what: str, frames: Frames) -> Kind:
    """Imports what it needs: matplotlib for figures, jinja2 for tables."""
    if what == "figures":
        from clip_hparam.analysis.figures import registry as figures
        from clip_hparam.analysis.figures import style

        def draw(name: str, out: Path) -> list[Path]:
            return style.save(figures.draw(frames, name), out, name)

        return Kind(what, figures.names(frames), figures.drawable(frames), draw)
    from clip_hparam.analysis.tables import registry, render

    def tabulate(name: str, out: Path) -> list[Path]:
        made = registry.tables_of(frames, name)
        return [path for table in made for path in render.write(table, out)]

    alone = [] if frames.study else list(registry.OTHERS)
    swept = list(newest(frames.sweeps))
    return Kind(what, registry.names(frames), list(dict.fromkeys([*swept, *alone])), tabulate)


def up_to_date(made: Kind, frames: Frames, name: str, out: Path) -> list[Path]:
    """The files of an earlier call, if they are what would be written now; else none."""
    known = read_json(_kept(made, name, out)) or {}
    files: dict[str, str] = known.get("files", {})
    if known.get("from") != _digest(frames, name):
        return []
    paths = {out / file: digest for file, digest in files.items()}
    same = all(path.is_file() and sha256_of(path) == digest for path, digest in paths.items())
    return list(paths) if same else []


def make(made: Kind, frames: Frames, name: str, out: Path) -> list[Path]:
    """What was written. Raises NotSweptError, ValueError, and OSError."""
    paths = made.write(name, out)
    files = {path.name: sha256_of(path) for path in paths}
    write_json(_kept(made, name, out), {"from": _digest(frames, name), "files": files})
    return paths


def _kept(made: Kind, name: str, out: Path) -> Path:
    return out / KEPT / f"{made.what}-{name}.json"


def _digest(frames: Frames, name: str) -> str:
    """Of the sweep of this name and its trials; of everything where none has this name."""
    sweep = newest(frames.sweeps).get(name)
    sweeps = frames.sweeps if sweep is None else [sweep]
    wanted = {trial for one in sweeps for cell in one.cells for trial in cell.trials.values()}
    parts = [_code(), *map(repr, sweeps), *_trials(frames, None if sweep is None else wanted)]
    if frames.study is not None:
        parts += [repr(frames.study[1:]), frames.study.rows.to_csv()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _trials(frames: Frames, wanted: set[str] | None) -> Iterator[Any]:
    """Name and signature of each trial that has a folder."""
    known = frames.trials[["trial_id", "folder"]].dropna()
    for trial_id, folder in known.itertuples(index=False):
        if wanted is None or trial_id in wanted:
            yield trial_id, signature(folder)


@cache
def _code() -> str:
    """Of the analysis itself and the libraries that it draws and computes with."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256(" ".join(map(version, LIBRARIES)).encode())
    for path in sorted([*root.rglob("*.py"), *root.glob("data/*")]):
        found.update(path.read_bytes())
    return found.hexdigest()
