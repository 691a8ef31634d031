"""The record of a trial: the files in its folder (schema 1).

    runs/<trial_id>/recipe.json    canonical recipe and label
                    status.json    state, attempt, host, pid, heartbeat, numerics
                    metrics.jsonl  one row per epoch
                    correct.npz    one bit per test image
                    predictions.npz  predicted classes and the most confident errors; optional
                    failure.json   the last failure
                    result.json    exists exactly when the trial is done; written last
                    log.txt        everything the trial printed
                    checkpoint/    resumable state, removed when the trial is done
                    best.safetensors, last.safetensors   only with keep_checkpoints
                    .replay/       a replay that has not ended (training/replay.py)

Every file is replaced in one step. Paths inside records are relative, so a runs folder can be
moved. NaN is null. Done trials may be in an archive (archive.py) and are read the same way.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clip_hparam.records import archive
from clip_hparam.records.atomic import (
    parse_json_lines,
    parse_object,
    quarantine,
    read_json,
    sha256_of,
    to_jsonable,
    utc_timestamp,
    write_atomic,
    write_json,
)
from clip_hparam.records.paths import CHECKPOINT_FOLDER, LOG_FILE, trial_folder
from clip_hparam.records.state import STATES, TrialState

SCHEMA_VERSION = 1
REPLAY_FOLDER = ".replay"
OPTIONAL_FILES = ("predictions.npz",)  # a record that lost one is still valid
SEALED_FILES = ("recipe.json", "metrics.jsonl", "correct.npz", *OPTIONAL_FILES)


class Record:
    """Reads and writes the files of one trial."""

    def __init__(self, runs: Path | str, trial_id: str) -> None:
        self.trial_id = trial_id
        self.folder = trial_folder(runs, trial_id)

    @property
    def checkpoint_folder(self) -> Path:
        return self.folder / CHECKPOINT_FOLDER

    def write_recipe(self, canonical: dict[str, Any], label: str) -> None:
        """Write recipe.json."""
        head = {"schema": SCHEMA_VERSION, "trial_id": self.trial_id, "label": label}
        write_json(self.folder / "recipe.json", {**head, "recipe": canonical})

    def write_status(self, state: str, **facts: Any) -> None:
        """Write status.json with a new heartbeat; facts that are not given keep their old value."""
        if state not in STATES:
            raise ValueError(f"state {state} is not one of {', '.join(STATES)}")
        known = read_json(self.folder / "status.json") or {"schema": SCHEMA_VERSION}
        write_json(
            self.folder / "status.json",
            {**known, "state": state, "heartbeat": utc_timestamp(), **facts},
        )

    def write_rows(self, rows: list[dict[str, Any]]) -> None:
        """Write metrics.jsonl, one row per epoch."""
        lines = [json.dumps(to_jsonable(row), allow_nan=False) + "\n" for row in rows]
        write_atomic(self.folder / "metrics.jsonl", "".join(lines).encode())

    def write_failure(self, state: str, kind: str, message: str, **facts: Any) -> None:
        """Write failure.json, then the state to status.json."""
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
        """Seal the trial: write status.json, then result.json with the SHA-256 of its siblings."""
        self.write_status(TrialState.DONE)
        sealed = {
            name: sha256_of(self.folder / name)
            for name in SEALED_FILES
            if (self.folder / name).exists()
        }
        head = {"schema": SCHEMA_VERSION, "trial_id": self.trial_id}
        write_json(self.folder / "result.json", {**head, **facts, "sha256": sealed})

    def read(self, name: str) -> bytes | None:
        """Return a file of the trial from its folder or an archive; None if it is in neither."""
        return archive.read_bytes(f"{self.folder}/{name}")

    def recipe(self) -> dict[str, Any] | None:
        """Return recipe.json, None if it is missing or damaged."""
        return parse_object(self.read("recipe.json"))

    def status(self) -> dict[str, Any]:
        """Return status.json, empty if it is missing or damaged."""
        return parse_object(self.read("status.json")) or {}

    def failure(self) -> dict[str, Any] | None:
        """Return failure.json, None if there was no failure."""
        return parse_object(self.read("failure.json"))

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of metrics.jsonl up to the first line that is cut off."""
        return list(parse_json_lines(self.read("metrics.jsonl") or b""))

    def result(self) -> dict[str, Any] | None:
        """Return result.json; None if missing, cut off, of another trial or of a newer schema."""
        result = parse_object(self.read("result.json"))
        if result is None or result.get("trial_id") != self.trial_id:
            return None
        return result if result.get("schema", SCHEMA_VERSION + 1) <= SCHEMA_VERSION else None

    def verified_result(self) -> dict[str, Any] | None:
        """Return result.json; None also if a file that was sealed with it has changed."""
        result = self.result()
        return None if result is None or self._changed_files(result) else result

    def is_done(self) -> bool:
        """Return whether the trial has a result whose sealed files are unchanged."""
        return self.verified_result() is not None

    def missing_outputs(
        self, eval_test: str, keep_checkpoints: str, eval_sets: Sequence[str] = ()
    ) -> list[str]:
        """Return the outputs that these driver keys request and that are missing in the done trial.

        eval_sets: names of the sets in their columns.
        """
        missing: list[str] = []
        weights = f"{keep_checkpoints}.safetensors"
        archived = archive.open_archives(self.folder.parent).get(self.trial_id, {})
        if keep_checkpoints != "none" and weights not in archived:
            exists = (self.folder / weights).is_file()
            missing += [] if exists else [f"{weights} (keep_checkpoints={keep_checkpoints})"]
        if eval_test == "epoch" and not all("test_acc1.raw" in row for row in self.rows()):
            missing.append("the test metrics of each epoch (eval_test=epoch)")
        known = (self.result() or {}).get("eval_sets", {}) if eval_sets else {}
        missing += [f"eval.{name} (eval_sets)" for name in eval_sets if name not in known]
        return missing

    def corrupted_files(self) -> list[str]:
        """Return the names of sealed files that are missing or changed, by SHA-256."""
        result = self.result()
        if result is None:
            archived = archive.open_archives(self.folder.parent).get(self.trial_id, {})
            exists = "result.json" in archived or (self.folder / "result.json").exists()
            return ["result.json"] if exists else []
        return self._changed_files(result)

    def _changed_files(self, result: dict[str, Any]) -> list[str]:
        return changed_files(result.get("sha256", {}), self.read)

    def quarantine(self, name: str) -> Path:
        """Rename a damaged file of the trial and return its new path; see `atomic.quarantine`."""
        return quarantine(self.folder / name, self.read(name))


def changed_files(sealed: Mapping[str, str], read: Callable[[str], bytes | None]) -> list[str]:
    """Return the names of files whose content does not have the sealed SHA-256.

    A missing optional file is not among them.

    read: returns the content of a file by its name, None if it is missing.
    """
    contents = {name: read(name) for name in sealed}
    return [
        name
        for name, content in contents.items()
        if (name not in OPTIONAL_FILES if content is None else _sha256(content) != sealed[name])
    ]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def trial_ids(runs: Path | str) -> Iterator[str]:
    """Return the ids of all trials in a runs folder, sorted; none if the folder is missing."""
    names = {path.parent.name for path in Path(runs).glob("*/recipe.json")}
    names |= archive.open_archives(runs).keys()
    return (name for name in sorted(names) if not name.startswith("."))
