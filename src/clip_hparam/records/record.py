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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clip_hparam.records import archive
from clip_hparam.records.atomic import (
    parse_json_lines,
    parse_object,
    read_json,
    sha256_of,
    to_jsonable,
    utc_timestamp,
    write_atomic,
    write_json,
)
from clip_hparam.records.paths import LOG_FILE, trial_folder
from clip_hparam.records.state import STATES, TrialState

SCHEMA_VERSION = 1
SEALED_FILES = ("recipe.json", "metrics.jsonl", "correct.npz")


class Record:
    """Reads and writes one trial's folder."""

    def __init__(self, runs: Path | str, trial_id: str) -> None:
        self.trial_id = trial_id
        self.folder = trial_folder(runs, trial_id)

    def write_recipe(self, canonical: dict[str, Any], label: str) -> None:
        head = {"schema": SCHEMA_VERSION, "trial_id": self.trial_id, "label": label}
        write_json(self.folder / "recipe.json", {**head, "recipe": canonical})

    def write_status(self, state: str, **facts: Any) -> None:
        """Replace status.json; facts not given are kept from the last one."""
        if state not in STATES:
            raise ValueError(f"state {state} is not one of {', '.join(STATES)}")
        known = read_json(self.folder / "status.json") or {"schema": SCHEMA_VERSION}
        write_json(
            self.folder / "status.json",
            {**known, "state": state, "heartbeat": utc_timestamp(), **facts},
        )

    def write_rows(self, rows: list[dict[str, Any]]) -> None:
        lines = [json.dumps(to_jsonable(row), allow_nan=False) + "\n" for row in rows]
        write_atomic(self.folder / "metrics.jsonl", "".join(lines).encode())

    def write_failure(self, state: str, kind: str, message: str, **facts: Any) -> None:
        facts = {
            "kind": kind,
            "message": message,
            "time": utc_timestamp(),
            "log": LOG_FILE,
            **facts,
        }
        write_json(self.folder / "failure.json", {"schema": SCHEMA_VERSION, **facts})
        self.write_status(state)

    def write_result(self, facts: dict[str, Any]) -> None:
        """Seal the trial: status first, result.json last, with the sha256 of its siblings."""
        self.write_status(TrialState.DONE)
        sealed = {
            name: sha256_of(self.folder / name)
            for name in SEALED_FILES
            if (self.folder / name).exists()
        }
        head = {"schema": SCHEMA_VERSION, "trial_id": self.trial_id}
        write_json(self.folder / "result.json", {**head, **facts, "sha256": sealed})

    def read(self, name: str) -> bytes | None:
        """A file of the trial, from its folder or from a pack; None if it is in neither."""
        return archive.read_bytes(f"{self.folder}/{name}")

    def recipe(self) -> dict[str, Any] | None:
        return parse_object(self.read("recipe.json"))

    def status(self) -> dict[str, Any]:
        return parse_object(self.read("status.json")) or {}

    def failure(self) -> dict[str, Any] | None:
        return parse_object(self.read("failure.json"))

    def rows(self) -> list[dict[str, Any]]:
        """The epochs on record; a line that does not read ends the list."""
        content = self.read("metrics.jsonl") or b""
        return list(parse_json_lines(content.decode(errors="replace").splitlines()))

    def result(self) -> dict[str, Any] | None:
        """The sealed result, or None: not done, cut, of another trial or a newer schema."""
        result = parse_object(self.read("result.json"))
        if result is None or result.get("trial_id") != self.trial_id:
            return None
        return result if result.get("schema", SCHEMA_VERSION + 1) <= SCHEMA_VERSION else None

    def verified_result(self) -> dict[str, Any] | None:
        """The sealed result, or None also where what was sealed with it has changed since."""
        result = self.result()
        return None if result is None or self._mismatched_files(result) else result

    def is_done(self) -> bool:
        return self.verified_result() is not None

    def corrupted_files(self) -> list[str]:
        """Names of sealed files that are not what result.json says, by sha256."""
        result = self.result()
        if result is None:
            packed = "result.json" in archive.open_archives(self.folder.parent).get(
                self.trial_id, {}
            )
            return ["result.json"] if packed or (self.folder / "result.json").exists() else []
        return self._mismatched_files(result)

    def _mismatched_files(self, result: dict[str, Any]) -> list[str]:
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
    names |= archive.open_archives(runs).keys()
    return (name for name in sorted(names) if not name.startswith("."))
