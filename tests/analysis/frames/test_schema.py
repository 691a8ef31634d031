"""The frames keep their promises, whatever lies in the folder; docs/frame.md names every column."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Ladder, Runs

from clip_hparam.analysis.frames.frame import EPOCH_COLUMNS, TRIAL_COLUMNS, Frames, load
from clip_hparam.analysis.frames.import_table import to_trial_table, write_trial_table
from clip_hparam.analysis.frames.schema import FRAME_VERSION, schema_violations
from clip_hparam.config.recipe import knobs

PAGE = (Path(__file__).parents[3] / "docs" / "frame.md").read_text()


def test_sound_records_keep_every_promise(ladder: Ladder) -> None:
    assert schema_violations(ladder.runs.frames()) == []


def test_records_of_every_kind_keep_every_promise(runs: Runs) -> None:
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


def test_an_imported_table_keeps_what_is_promised_of_it(tmp_path: Path) -> None:
    rows = pd.DataFrame({"run": ["a", "a"], "lr": ["low", 0.1], "top1": [1.0, np.nan]})
    study = to_trial_table(rows, ["lr"], [], "top1", name="run")
    (tmp_path / "t.csv").write_text("")
    write_trial_table(study, tmp_path / "t.csv", tmp_path / "kept")
    assert schema_violations(load(tmp_path / "kept")) == []


def text_for_a_number(frames: Frames) -> None:
    frames.trials["lr"] = frames.trials["lr"].map(str)


def an_accuracy_of_a_thousand(frames: Frames) -> None:
    frames.trials.loc[3, "test_acc1.raw.selected"] = 1000.0


def a_trial_twice(frames: Frames) -> None:
    frames.trials.loc[0, "trial_id"] = frames.trials.loc[1, "trial_id"]


def a_metric_too_early(frames: Frames) -> None:
    frames.trials.loc[2, "status"] = "running"


def an_epoch_twice(frames: Frames) -> None:
    frames.epochs.loc[1, "epoch"] = frames.epochs.loc[0, "epoch"]


def a_column_gone(frames: Frames) -> None:
    del frames.trials["selected_weights"]


@pytest.mark.parametrize(
    ("breaks", "named"),
    [
        (text_for_a_number, "trials: lr breaks"),
        (an_accuracy_of_a_thousand, r"trials: test_acc1.raw.selected breaks .*: 1000.0"),
        (a_trial_twice, "trials: trial_id breaks"),
        (a_metric_too_early, "not done, but with a metric"),
        (an_epoch_twice, "epochs: .* breaks"),
        (a_column_gone, "selected_weights"),
    ],
)
def test_a_broken_promise_is_named(
    ladder: Ladder, breaks: Callable[[Frames], None], named: str
) -> None:
    frames = ladder.runs.frames()
    breaks(frames)
    assert any(re.search(named, said) for said in schema_violations(frames)), schema_violations(
        frames
    )


def documented() -> list[re.Pattern[str]]:
    """The columns of the page's tables, as patterns."""
    rows = re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)
    names = re.findall(r"`([^`]+)`", " ".join(rows))
    choices = [re.sub(r"\{([^}]+)\}", lambda m: f"({m[1].replace(',', '|')})", n) for n in names]
    return [re.compile(name.replace(".", r"\.").replace("*", ".*")) for name in choices]


def test_the_page_names_every_column(ladder: Ladder) -> None:
    frames = ladder.runs.frames()
    columns = {*TRIAL_COLUMNS, *EPOCH_COLUMNS, *frames.trials, *frames.epochs}
    rest = {"schema", "steps", "parameters", "started", "finished", "attempt"}  # of result.json
    known = {*knobs(), *rest}
    missing = [
        name
        for name in columns - known
        if not any(pattern.fullmatch(name) for pattern in documented())
    ]
    assert missing == []
    assert f"# The frames, version {FRAME_VERSION}\n" in PAGE
