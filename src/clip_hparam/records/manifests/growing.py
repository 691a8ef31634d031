"""A manifest that cells are added to while a search runs."""

import json
from pathlib import Path
from typing import Any

from clip_hparam.records.atomic import read_json, write_atomic


class GrowingManifest:
    """A manifest that cells are added to; readers always see complete cells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_stamp: tuple[int, int] | None = None
        self._tree: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return the manifest, which the caller must not change; FileNotFoundError if missing."""
        stamp = self._stamp()
        if stamp != self._read_stamp:
            tree = read_json(self.path)
            if tree is None:
                raise FileNotFoundError(f"{self.path} is not a manifest of a search: type it again")
            self._tree, self._read_stamp = tree, stamp
        return self._tree

    def write(self, tree: dict[str, Any]) -> None:
        """Write one line per cell with json's fast encoder, for searches of thousands of points."""
        head = json.dumps({**tree, "cells": []}, allow_nan=False).removesuffix("]}")
        cells = ",\n".join(json.dumps(cell, allow_nan=False) for cell in tree["cells"])
        write_atomic(self.path, f"{head}\n{cells}\n]}}\n".encode())
        self._tree, self._read_stamp = tree, self._stamp()

    def add_cell(self, cell: dict[str, Any]) -> None:
        """Append a cell; the caller holds the lock that keeps other writers out."""
        tree = self.read()
        self.write({**tree, "cells": [*tree["cells"], cell]})

    def _stamp(self) -> tuple[int, int]:
        stat = self.path.stat()
        return stat.st_ino, stat.st_mtime_ns
