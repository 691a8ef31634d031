"""The folder of a trial is the truth: whole or absent, never in between."""

import json
from pathlib import Path

import pytest

from clip_hparam.records.atomic import read_json, write_atomic, write_json
from clip_hparam.records.record import SCHEMA_VERSION, Record, trial_ids


@pytest.fixture
def record(tmp_path: Path) -> Record:
    made = Record(tmp_path / "runs with space", "abc123")
    made.write_recipe({"lr": 0.1}, "lr=0.1")
    made.write_rows([{"epoch": 0, "train_loss": 1.5}, {"epoch": 1, "train_loss": float("nan")}])
    return made


def test_failed_write_leaves_the_old_file_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    with pytest.raises(TypeError):
        write_atomic(path, "not bytes")  # type: ignore[arg-type]
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_nan_is_null_in_every_file(record: Record) -> None:
    assert record.rows()[1]["train_loss"] is None
    assert "NaN" not in (record.folder / "metrics.jsonl").read_text()


def test_result_holds_the_sha256_of_the_other_files(record: Record) -> None:
    record.write_result({"metrics": {}})
    assert record.corrupted_files() == []
    assert record.status()["state"] == "done"
    (record.folder / "metrics.jsonl").write_text("{}\n")
    assert record.corrupted_files() == ["metrics.jsonl"]


def test_a_lost_file_of_predictions_leaves_the_record_valid_and_a_changed_one_does_not(
    record: Record,
) -> None:
    path = record.folder / "predictions.npz"
    path.write_bytes(b"predictions")
    record.write_result({"metrics": {}})
    path.write_bytes(b"other")
    assert record.corrupted_files() == ["predictions.npz"]
    path.unlink()
    assert record.is_done()


@pytest.mark.parametrize(
    "content",
    [b"", b'{"schema": 1, "trial_id": "abc1', b"[1]", b"null", b'{"schema": 1, "trial_id": "x"}'],
    ids=["empty", "cut", "list", "null", "of another trial"],
)
def test_unreadable_result_is_corrupted_and_no_result(record: Record, content: bytes) -> None:
    record.write_result({"metrics": {}})
    (record.folder / "result.json").write_bytes(content)
    assert record.result() is None
    assert record.corrupted_files() == ["result.json"]


def test_result_of_a_newer_schema_is_not_read(record: Record) -> None:
    record.write_result({})
    tree = json.loads((record.folder / "result.json").read_text())
    write_json(record.folder / "result.json", {**tree, "schema": SCHEMA_VERSION + 1})
    assert record.result() is None


def test_quarantined_files_are_kept(record: Record) -> None:
    for n in (1, 2):
        (record.folder / "result.json").write_text(f"cut {n}")
        record.quarantine("result.json")
    kept = sorted(path.read_text() for path in record.folder.glob("result.json.damaged-*"))
    assert kept == ["cut 1", "cut 2"]
    assert not (record.folder / "result.json").exists()


def test_rows_end_before_a_row_that_is_cut_off(record: Record) -> None:
    with (record.folder / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "train')
    assert [row["epoch"] for row in record.rows()] == [0, 1]


def test_unknown_state_is_refused(record: Record) -> None:
    with pytest.raises(ValueError, match="not one of"):
        record.write_status("finished")


def test_status_keeps_facts_that_are_not_written_again(record: Record) -> None:
    record.write_status("running", pid=1, numerics={"threads": 1})
    record.write_status("running", pid=2)
    assert record.status()["pid"] == 2
    assert record.status()["numerics"] == {"threads": 1}


def test_trial_ids_are_those_of_folders_with_a_recipe(record: Record) -> None:
    runs = record.folder.parent
    (runs / ".sweeps").mkdir()
    (runs / "notes").mkdir()
    assert list(trial_ids(runs)) == ["abc123"]
    assert list(trial_ids(runs / "nowhere")) == []
