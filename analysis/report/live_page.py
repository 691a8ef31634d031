"""The report of runs folders that are still written, built again when their records change.

Reads records only. A new page is built at most once per ten times the seconds that the last build
took, so that the dashboard leaves the processor to the trials.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from clip_hparam.analysis.frames.cache import trial_signature
from clip_hparam.analysis.frames.frame import Frames, load
from clip_hparam.analysis.report.page.trials import Commands
from clip_hparam.analysis.report.report import render_html, report_page
from clip_hparam.records.paths import manifest_paths

MIN_SECONDS, COST_FACTOR = 2.0, 10.0


class LivePage:
    """The page of some runs folders; `version` changes with each new page.

    commands: the overrides that run trials again, of the loaded frames.
    """

    def __init__(self, folders: Iterable[Path], commands: Callable[[Frames], Commands]) -> None:
        self.folders = list(folders)
        self.commands = commands
        self.version, self.page = "", ""
        self._next_look = 0.0
        self._lock = Lock()

    def refresh(self) -> None:
        """Build the page again if records changed and the last look is long enough ago."""
        with self._lock:
            started = time.monotonic()
            if started < self._next_look:
                return
            digest = _digest(self.folders)
            if digest != self.version:
                frames = self._load()
                self.page = render_html(report_page(frames, self.commands(frames)), live=True)
                self.version = digest
            spent = time.monotonic() - started
            self._next_look = time.monotonic() + max(MIN_SECONDS, COST_FACTOR * spent)

    def _load(self) -> Frames:
        """Load the folders that exist; before the first sweep there may be none."""
        if existing := [folder for folder in self.folders if folder.is_dir()]:
            return load(existing)
        with TemporaryDirectory() as empty:
            return load(empty)._replace(runs=str(self.folders[0]))


def _digest(folders: list[Path]) -> str:
    """Return a digest of names, sizes and times of all records and manifests."""
    marks = [mark for folder in folders if folder.is_dir() for mark in _marks(folder)]
    return hashlib.sha256(repr(marks).encode()).hexdigest()[:16]


def _marks(folder: Path) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    for name in names:
        yield name, trial_signature(f"{folder}/{name}")
    for path in sorted(manifest_paths(folder)):
        yield str(path), path.stat().st_mtime_ns
