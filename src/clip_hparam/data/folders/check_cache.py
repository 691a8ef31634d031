"""Results of image checks in the user's cache.

readable/<hash of the root>.json        path, size and modification time of each file, and a
                                        sentence about each unreadable one
checked/<hash of root and paths>.json   the unreadable files of a whole set, for sets that are
                                        too large to look at each file
"""

import hashlib
import os
from collections.abc import Sequence

from clip_hparam.data.dataset import ImageFiles
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

FileState = tuple[int, int]
"""Size in bytes and modification time in ns; zeros for a missing file."""


class CheckCache:
    """Results of the checks of the files of one set.

    reader: version of the code that reads images; verdicts of another version are not used.
    """

    def __init__(self, files: ImageFiles, reader: str) -> None:
        self.reader = reader
        self.names = [os.fsdecode(bytes(path)) for path in files.paths]
        self.path = cache_path("readable", str(files.root))
        key = hashlib.sha256(os.fsencode(files.root) + files.paths.tobytes()).hexdigest()
        self.summary_path = cache_path("checked", key)

    def read(self, states: Sequence[FileState]) -> list[str | None]:
        """Return the sentence about each file, "" for a readable one, None for an unknown one."""
        known = self._entries()
        return [
            known[name][2] if known.get(name, ())[:2] == state else None
            for name, state in zip(self.names, states, strict=True)
        ]

    def read_summary(self) -> dict[int, str] | None:
        """Return the unreadable files of the whole set, None if it was never checked."""
        tree = read_json(self.summary_path) or {}
        if tree.get("reader") != self.reader or "unreadable" not in tree:
            return None
        return {int(index): problem for index, problem in tree["unreadable"].items()}

    def write(self, states: Sequence[FileState], problems: Sequence[str | None]) -> None:
        """Add the known results; those of other files in the root are kept. Raises OSError."""
        entries = self._entries()
        for name, state, problem in zip(self.names, states, problems, strict=True):
            if problem is not None:
                entries[name] = (*state, problem)
        text = "".join(f"{n}\0{size}\0{time}\0" for n, (size, time, _) in entries.items())
        bad = {name: problem for name, (_, _, problem) in entries.items() if problem}
        write_json(self.path, {"reader": self.reader, "files": text, "unreadable": bad})

    def write_summary(self, unreadable: dict[int, str]) -> None:
        """Store the unreadable files of the whole set if they are new. Raises OSError."""
        if self.read_summary() != unreadable:
            write_json(self.summary_path, {"reader": self.reader, "unreadable": unreadable})

    def _entries(self) -> dict[str, tuple[int, int, str]]:
        tree = read_json(self.path) or {}
        if tree.get("reader") != self.reader:
            return {}
        try:
            fields, bad = tree["files"].split("\0")[:-1], tree["unreadable"]
            rows = zip(fields[::3], fields[1::3], fields[2::3], strict=True)
            return {name: (int(size), int(time), bad.get(name, "")) for name, size, time in rows}
        except (KeyError, ValueError):  # a damaged entry
            return {}
