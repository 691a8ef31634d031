"""Write tables and figures by name, if their inputs have changed.

`.made/WHAT-NAME.json` in the results folder holds a digest of the inputs (records, manifests and
code) and the sha256 of each output file. Without this file the output is written again.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.analysis.evidence.ablations import CONTROLS, split_figure_name
from clip_hparam.analysis.frames.cache import trial_signature
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import output_names
from clip_hparam.records.atomic import read_json, sha256_of, write_json

STAMP_FOLDER = ".made"
LIBRARIES = ("numpy", "scipy", "pandas", "matplotlib", "optuna")


class FigureLook(NamedTuple):
    """How figures are drawn and saved.

    style: "paper" or "slides". width: "column", "page" or "" (as suits each figure).
    """

    style: str = "paper"
    width: str = ""
    formats: tuple[str, ...] = ("png", "pdf")


class OutputKind(NamedTuple):
    """Tables or figures: all names, the default names, and the function that writes the files."""

    what: str  # "tables" or "figures"
    names: list[str]
    default_names: list[str]
    write: Callable[[str, Path], list[Path]]
    look: tuple[str, ...] = ()  # options that change the files: style and formats of figures


def output_kind(what: str, frames: Frames, look: FigureLook | None = None) -> OutputKind:
    """Return the names and the writer of "figures" or "tables"."""
    return _figure_kind(frames, look or FigureLook()) if what == "figures" else _table_kind(frames)


def _figure_kind(frames: Frames, look: FigureLook) -> OutputKind:
    from clip_hparam.analysis.figures import registry, style  # lazy: matplotlib, 0.5 s
    from clip_hparam.analysis.figures.parts.formats import save_figure  # lazy: matplotlib, 0.5 s

    def write(name: str, out: Path) -> list[Path]:
        with style.use_style(style.find_style(look.style, look.width)):
            return save_figure(registry.plot_figure(frames, name), out, name, look.formats)

    names, default_names = registry.figure_names(frames), registry.default_figures(frames)
    options = (look.style, look.width, *look.formats)
    return OutputKind("figures", names, default_names, write, options)


def _table_kind(frames: Frames) -> OutputKind:
    from clip_hparam.analysis.tables import registry, render  # lazy: jinja2, 0.1 s

    def write(name: str, out: Path) -> list[Path]:
        tables = registry.tables_of(frames, name)
        return [path for table in tables for path in render.write_table(table, out)]

    names, default_names = registry.table_names(frames), registry.default_tables(frames)
    return OutputKind("tables", names, default_names, write)


def up_to_date_files(kind: OutputKind, frames: Frames, name: str, out: Path) -> list[Path]:
    """Return the files of an earlier call if neither they nor their inputs changed, else []."""
    stamp = read_json(_stamp_path(kind, name, out)) or {}
    files: dict[str, str] = stamp.get("files", {})
    if stamp.get("from") != _input_digest(kind, frames, name):
        return []
    paths = {out / file: digest for file, digest in files.items()}
    same = all(path.is_file() and sha256_of(path) == digest for path, digest in paths.items())
    return list(paths) if same else []


def build_output(kind: OutputKind, frames: Frames, name: str, out: Path) -> list[Path]:
    """Write the files of a table or figure and return their paths.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: the records do not suffice.
        OSError: the folder cannot be written.
    """
    paths = kind.write(name, out)
    files = {path.name: sha256_of(path) for path in paths}
    digest = _input_digest(kind, frames, name)
    write_json(_stamp_path(kind, name, out), {"from": digest, "files": files})
    return paths


def _stamp_path(kind: OutputKind, name: str, out: Path) -> Path:
    return out / STAMP_FOLDER / f"{kind.what}-{name}.json"


def _input_digest(kind: OutputKind, frames: Frames, name: str) -> str:
    """Return a digest of the sweep called `name` and its trials, else of all records."""
    named = output_names(frames.sweeps)
    sweep = named.get(split_figure_name(name, named)[0])
    controls = [other for other in frames.sweeps if other.name == CONTROLS]  # beside a ladder
    sweeps = frames.sweeps if sweep is None else [sweep, *controls]
    trial_ids = (
        None if sweep is None else {name for manifest in sweeps for name in manifest.trial_ids}
    )
    parts = [_code_digest(), *kind.look, *map(repr, sweeps), *_trial_signatures(frames, trial_ids)]
    if frames.imported is not None:
        parts += [repr(frames.imported[1:]), frames.imported.rows.to_csv()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _trial_signatures(frames: Frames, trial_ids: set[str] | None) -> Iterator[Any]:
    """Yield id and signature of each of the trials (None: of all trials) that has a folder."""
    known = frames.trials[["trial_id", "folder"]].dropna()
    for trial_id, folder in known.itertuples(index=False):
        if trial_ids is None or trial_id in trial_ids:
            yield trial_id, trial_signature(folder)


@cache
def _code_digest() -> str:
    """Return a digest of the analysis code, its data and the versions of its libraries."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256(" ".join(map(version, LIBRARIES)).encode())
    data = (path for path in root.glob("data/*") if path.is_file())
    for path in sorted([*root.rglob("*.py"), *data]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
