"""The trial's folder: written whole, then renamed; the truth about what ran (schema 1).

    runs/<trial_id>/recipe.json    what was asked: canonical recipe and label
                    status.json    state, attempt, host, pid, heartbeat, numerics
                    metrics.jsonl  one row an epoch
                    correct.npz    one bit a test image
                    failure.json   the last failure
                    result.json    exists exactly when the trial is done; written last

Paths inside records are relative, so a runs folder can be moved. NaN is null. No torch here.
Trials that are done may lie in a pack (packs.py); they read the same.
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from clip_hparam.records import archive

SCHEMA = 1
LIVE = ("queued", "running")
STATES = (
    *("planned", *LIVE, "done", "failed", "diverged", "lost"),
    *("timeout", "cancelled", "held", "pruned"),
)
SEALED = ("recipe.json", "metrics.jsonl", "correct.npz")


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file in the place of `path`, once the block has ended without an error.

    A reader sees the old file or the new one, never a part; survives a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_atomic(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def write_json(path: Path, tree: Any) -> None:
    write_atomic(path, (json.dumps(_plain(tree), indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None if the file is missing, cut or not an object."""
    return _object(archive.content(path))


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Record:
    """Reads and writes one trial's folder."""

    def __init__(self, runs: Path | str, trial_id: str) -> None:
        self.trial_id = trial_id
        self.folder = Path(runs) / trial_id

    def write_recipe(self, canonical: dict[str, Any], label: str) -> None:
        head = {"schema": SCHEMA, "trial_id": self.trial_id, "label": label}
        write_json(self.folder / "recipe.json", {**head, "recipe": canonical})

    def write_status(self, state: str, **facts: Any) -> None:
        """Replace status.json; facts not given are kept from the last one."""
        if state not in STATES:
            raise ValueError(f"state {state} is not one of {', '.join(STATES)}")
        known = read_json(self.folder / "status.json") or {"schema": SCHEMA}
        write_json(
            self.folder / "status.json", {**known, "state": state, "heartbeat": now(), **facts}
        )

    def write_rows(self, rows: list[dict[str, Any]]) -> None:
        lines = [json.dumps(_plain(row), allow_nan=False) + "\n" for row in rows]
        write_atomic(self.folder / "metrics.jsonl", "".join(lines).encode())

    def write_failure(self, state: str, kind: str, message: str, **facts: Any) -> None:
        facts = {"kind": kind, "message": message, "time": now(), "log": "log.txt", **facts}
        write_json(self.folder / "failure.json", {"schema": SCHEMA, **facts})
        self.write_status(state)

    def write_result(self, facts: dict[str, Any]) -> None:
        """Seal the trial: status first, result.json last, with the sha256 of its siblings."""
        self.write_status("done")
        sealed = {
            name: sha256_of(self.folder / name) for name in SEALED if (self.folder / name).exists()
        }
        head = {"schema": SCHEMA, "trial_id": self.trial_id}
        write_json(self.folder / "result.json", {**head, **facts, "sha256": sealed})

    def read(self, name: str) -> bytes | None:
        """A file of the trial, from its folder or from a pack; None if it is in neither."""
        return archive.content(f"{self.folder}/{name}")

    def recipe(self) -> dict[str, Any] | None:
        return _object(self.read("recipe.json"))

    def status(self) -> dict[str, Any]:
        return _object(self.read("status.json")) or {}

    def failure(self) -> dict[str, Any] | None:
        return _object(self.read("failure.json"))

    def rows(self) -> list[dict[str, Any]]:
        """The epochs on record; a line that does not read ends the list."""
        content = self.read("metrics.jsonl") or b""
        return list(_parsed(content.decode(errors="replace").splitlines()))

    def result(self) -> dict[str, Any] | None:
        """The sealed result, or None: not done, cut, of another trial or a newer schema."""
        result = _object(self.read("result.json"))
        if result is None or result.get("trial_id") != self.trial_id:
            return None
        return result if result.get("schema", SCHEMA + 1) <= SCHEMA else None

    def sound(self) -> dict[str, Any] | None:
        """The sealed result, or None also where what was sealed with it has changed since."""
        result = self.result()
        return None if result is None or self._changed(result) else result

    def is_done(self) -> bool:
        return self.sound() is not None

    def damage(self) -> list[str]:
        """Names of sealed files that are not what result.json says, by sha256."""
        result = self.result()
        if result is None:
            packed = "result.json" in archive.packed(self.folder.parent).get(self.trial_id, {})
            return ["result.json"] if packed or (self.folder / "result.json").exists() else []
        return self._changed(result)

    def _changed(self, result: dict[str, Any]) -> list[str]:
        sealed: dict[str, str] = result.get("sha256", {})
        return [name for name in sealed if self._sha256(name) != sealed[name]]

    def _sha256(self, name: str) -> str | None:
        content = self.read(name)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def quarantine(self, name: str) -> Path:
        """Set a damaged file aside under a name nobody reads; nothing is deleted."""
        source = self.folder / name
        target = next(
            path
            for n in range(1, 10_000)
            if not (path := source.with_name(f"{name}.damaged-{n}")).exists()
        )
        if source.exists():
            return source.replace(target)
        write_atomic(target, self.read(name) or b"")  # a pack is left as it is
        return target


def trial_ids(runs: Path | str) -> Iterator[str]:
    """Ids of all trials in a runs folder, sorted; none if there is no such folder."""
    names = {path.parent.name for path in Path(runs).glob("*/recipe.json")}
    names |= archive.packed(runs).keys()
    return (name for name in sorted(names) if not name.startswith("."))


def _object(content: bytes | None) -> dict[str, Any] | None:
    try:
        tree = json.loads(content or b"")
    except ValueError:
        return None
    return tree if isinstance(tree, dict) else None


def _parsed(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
