"""The frames match their schema for any folder; docs/frame.md lists every column."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Ladder, Runs

from clip_hparam.analysis.frames.frame import EPOCH_COLUMNS, TRIAL_COLUMNS, Frames, load
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.importing.table_files import write_trial_table
from clip_hparam.analysis.frames.schema import FRAME_VERSION, schema_violations
from clip_hparam.config.recipe import knobs

PAGE = (Path(__file__).parents[3] / "docs" / "frame.md").read_text()


def test_frames_of_complete_records_match_the_schema(ladder: Ladder) -> None:
    assert schema_violations(ladder.runs.frames()) == []


def test_frames_of_unfinished_and_damaged_records_match_the_schema(runs: Runs) -> None:
    assert schema_violations(runs.frames()) == []
    runs.planned({"lr": 0.5}).write_failure("diverged", "diverged", "loss is nan at step 3")
    runs.planned({"lr": 0.6})
    (runs.done({"lr": 0.7}, 0, 97.0).folder / "metrics.jsonl").write_text("{")
    metrics = {"test_acc1.raw.selected": None, "test_loss.raw.selected": None}
    runs.done({"lr": 0.8}, 0, 97.0, metrics=metrics)
    (runs.folder / "foreign").mkdir()
    frames = runs.frames()
    assert sorted(frames.trials["status"]) == ["damaged", "diverged", "done", "queued"]
    assert schema_violations(frames) == []


def test_an_imported_table_matches_its_schema(tmp_path: Path) -> None:
    rows = pd.DataFrame({"run": ["a", "a"], "lr": ["low", 0.1], "top1": [1.0, np.nan]})
    table = to_trial_table(rows, ["lr"], [], "top1", name="run")
    (tmp_path / "t.csv").write_text("")
    write_trial_table(table, tmp_path / "t.csv", tmp_path / "kept")
    assert schema_violations(load(tmp_path / "kept")) == []


def set_knob_to_text(frames: Frames) -> None:
    frames.trials["lr"] = frames.trials["lr"].map(str)


def set_accuracy_to_1000(frames: Frames) -> None:
    frames.trials.loc[3, "test_acc1.raw.selected"] = 1000.0


def repeat_trial_id(frames: Frames) -> None:
    frames.trials.loc[0, "trial_id"] = frames.trials.loc[1, "trial_id"]


def set_done_trial_to_running(frames: Frames) -> None:
    frames.trials.loc[2, "status"] = "running"


def repeat_epoch(frames: Frames) -> None:
    frames.epochs.loc[1, "epoch"] = frames.epochs.loc[0, "epoch"]


def set_wait_to_a_percentage(frames: Frames) -> None:
    frames.epochs["wait"] = 0.0
    frames.epochs.loc[1, "wait"] = 7.0


def remove_column(frames: Frames) -> None:
    del frames.trials["selected_weights"]


@pytest.mark.parametrize(
    ("break_frames", "message"),
    [
        (set_knob_to_text, "trials: lr breaks"),
        (set_accuracy_to_1000, r"trials: test_acc1.raw.selected breaks .*: 1000.0"),
        (repeat_trial_id, "trials: trial_id breaks"),
        (set_done_trial_to_running, "not done, but with a metric"),
        (repeat_epoch, "epochs: .* breaks"),
        (set_wait_to_a_percentage, r"epochs: wait breaks .*: 7.0"),
        (remove_column, "selected_weights"),
    ],
)
def test_a_violation_is_reported(
    ladder: Ladder, break_frames: Callable[[Frames], None], message: str
) -> None:
    frames = ladder.runs.frames()
    break_frames(frames)
    assert any(re.search(message, text) for text in schema_violations(frames)), schema_violations(
        frames
    )


def documented_columns() -> list[re.Pattern[str]]:
    """Return a pattern for each column in the tables of docs/frame.md."""
    rows = re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)
    names = re.findall(r"`([^`]+)`", " ".join(rows))
    choices = [re.sub(r"\{([^}]+)\}", lambda m: f"({m[1].replace(',', '|')})", n) for n in names]
    return [re.compile(name.replace(".", r"\.").replace("*", ".*")) for name in choices]


def test_docs_frame_lists_every_column(ladder: Ladder) -> None:
    frames = ladder.runs.frames()
    columns = {*TRIAL_COLUMNS, *EPOCH_COLUMNS, *frames.trials, *frames.epochs}
    result_fields = {"schema", "steps", "parameters", "started", "finished", "attempt"}
    known = {*knobs(), *result_fields}
    missing = [
        name
        for name in columns - known
        if not any(pattern.fullmatch(name) for pattern in documented_columns())
    ]
    assert missing == []
    assert f"# The frames, version {FRAME_VERSION}\n" in PAGE
