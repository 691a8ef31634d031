"""Import of tables from elsewhere: rows that are kept or dropped, messages, figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Edit, Runs, write_ladder

from clip_hparam import analysis
from clip_hparam.analysis.evidence.searches.summary import boundary_knobs
from clip_hparam.analysis.figures import registry
from clip_hparam.analysis.frames.frame import trial_table
from clip_hparam.analysis.frames.importing.formats import read_source
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.importing.table_files import read_trial_table, write_trial_table

KNOBS, METRICS = ["lr", "mixup", "aug"], ["top1", "ood"]
COLUMNS = [*(f"--knob={name}" for name in KNOBS), *(f"--metric={name}" for name in METRICS)]


def write_table(results: pd.DataFrame, path: Path) -> Path:
    {
        ".csv": lambda: results.to_csv(path, index=False),
        ".tsv": lambda: results.to_csv(path, index=False, sep="\t"),
        ".parquet": lambda: results.to_parquet(path),
        ".jsonl": lambda: results.to_json(path, orient="records", lines=True, double_precision=15),
    }[path.suffix]()
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_every_file_format_gives_the_same_table(
    results: pd.DataFrame, tmp_path: Path, suffix: str
) -> None:
    read = to_trial_table(
        read_source(write_table(results, tmp_path / f"t{suffix}")).rows, KNOBS, METRICS, "top1"
    )
    direct = to_trial_table(results, KNOBS, METRICS, "top1")
    pd.testing.assert_frame_equal(read.rows, direct.rows, check_dtype=False)


def test_a_written_table_is_read_back_unchanged(results: pd.DataFrame, tmp_path: Path) -> None:
    imported = to_trial_table(results, KNOBS, METRICS, "ood", minimize=True, name="run")
    write_trial_table(imported, write_table(results, tmp_path / "t.csv"), tmp_path / "kept")
    again = read_trial_table(tmp_path / "kept")
    pd.testing.assert_frame_equal(again.rows, imported.rows, check_names=False, check_dtype=False)
    assert again[1:] == imported[1:]


@pytest.mark.parametrize("named", [True, False])
def test_duplicates_are_counted_and_kept(named: bool) -> None:
    """A row that is repeated with its name is left out: it is the same trial."""
    rows = [
        {"run": "a", "lr": 1.0, "aug": None, "top1": 80.0, "other": "x"},
        {"run": "b", "lr": 1.0, "aug": None, "top1": 80.0, "other": "x"},  # a by another name
        {"run": "a", "lr": 1.0, "aug": None, "top1": 80.0, "other": "x"},  # a again
        {"run": "c", "lr": 1.0, "aug": None, "top1": 80.0, "other": "y"},  # differs elsewhere
        {"run": "d", "lr": 1.0, "aug": "none", "top1": 80.0, "other": "x"},  # a level, not missing
        {"run": "e", "lr": None, "aug": None, "top1": 81.0, "other": "x"},  # no knob at all
        {"run": "f", "lr": None, "aug": "none", "top1": None, "other": "x"},  # no objective
    ]
    imported = to_trial_table(
        pd.DataFrame(rows), ["lr", "aug"], [], "top1", name="run" if named else None
    )
    counts = (len(imported.rows), imported.duplicates, imported.repeated, imported.incomplete)
    assert counts == ((5, 1, 1, 1) if named else (6, 1, 0, 1))
    assert list(imported.rows.index[:2]) == (["a", "b"] if named else ["row 1", "row 2"])
    assert len(imported.scored) == len(imported.rows) - 1


def test_a_column_of_row_numbers_is_ignored(tmp_path: Path) -> None:
    rows = pd.DataFrame({"lr": [1.0, 1.0, 2.0], "top1": [80.0, 80.0, 81.0]})
    rows.to_csv(tmp_path / "t.csv")
    imported = to_trial_table(read_source(tmp_path / "t.csv").rows, ["lr"], [], "top1")
    assert (len(imported.rows), imported.duplicates) == (3, 1)


Call = Callable[..., tuple[int, str, str]]


def test_import_and_summary_print_only_paths_and_json_on_stdout(
    results: pd.DataFrame, call: Call
) -> None:
    twice = pd.concat([results, results[:3].assign(run="again")])
    write_table(twice, Path("t.csv"))
    code, out, err = call(
        "import", "t.csv", *COLUMNS, "--objective", "top1", "--name", "run", "--out", "kept"
    )
    assert (code, out.split()) == (0, ["kept/study.json", "kept/rows.parquet"])
    assert "43 of 43 rows kept: 3 duplicates" in err
    code, out, err = call("summary", "kept", "--json")
    summary = json.loads(out)
    assert (code, err, summary["n"], summary["duplicates"]) == (0, "", 43, 3)
    code, out, _ = call("summary", "kept")
    assert summary["best"]["name"] in out
    assert "importance by fanova" in out


def test_search_figures_plot_an_imported_table(results: pd.DataFrame, call: Call) -> None:
    write_trial_table(
        to_trial_table(results, KNOBS, METRICS, "top1"),
        write_table(results, Path("t.csv")),
        Path("kept"),
    )
    code, out, _ = call("figures", "axes", "best_of_n", "--runs", "kept", "--out", "drawn")
    assert (code, len(out.split())) == (0, 4)
    frames = analysis.load("kept")
    assert registry.default_figures(frames) == ["axes", "best_of_n", "importance", "parallel"]
    code, _, err = call("figures", "cost", "--runs", "kept")
    assert (code, "have no cost.seconds" in err) == (2, True)


def test_imported_rows_are_done_trials_of_the_frames(results: pd.DataFrame, tmp_path: Path) -> None:
    rows = results.rename(columns={"run": "label", "aug": "status"})
    imported = to_trial_table(rows, ["lr", "mixup", "status"], METRICS, "top1", name="label")
    write_trial_table(imported, write_table(rows, tmp_path / "t.csv"), tmp_path / "kept")
    trials = analysis.load(tmp_path / "kept").trials
    assert list(trials["label"]) == list(results["run"])
    assert set(trials["status"]) == {"done"}
    assert list(trials["imported.status"]) == list(results["aug"])
    assert list(trials["lr"]) == pytest.approx(list(results["lr"]))


def test_the_records_of_a_ladder_are_a_trial_table(runs: Runs) -> None:
    write_ladder(runs)
    trials = trial_table(runs.frames())
    assert (trials.objective, len(trials.rows)) == ("selection_acc1", 35)
    assert set(trials.knobs) == {
        "lr",
        "mixup",
        "cutmix",
        "ema_decay",
        "layer_decay",
        "epochs",
        "resolution",
    }


def test_a_sampled_design_has_the_figures_of_a_search(runs: Runs, edit: Edit) -> None:
    rng = np.random.default_rng(0)
    cells = {
        f"draw {n}": {"lr": float(lr), "drop_path": float(drop)}
        for n, (lr, drop) in enumerate(rng.uniform(1e-3, 0.2, (12, 2)))
    }
    for number, values in enumerate(cells.values()):
        runs.done(values, 0, 90 + number / 2)
    runs.done({"lr": 0.9}, 0, 99.0)  # in no cell
    runs.sweep("random", cells, seeds=[0])
    assert "axes" not in registry.default_figures(runs.frames())
    (path,) = (runs.folder / ".sweeps").glob("*.json")
    edit(path, lambda tree: tree.update(kind="random"))
    trials = trial_table(runs.frames())
    assert (set(trials.knobs), len(trials.rows)) == ({"lr", "drop_path"}, 12)
    default = set(registry.default_figures(runs.frames()))
    assert {"axes", "parallel", "importance", "best_of_n", "cost"} <= default


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.csv"], "there is no file nowhere.csv"),
        (["t.xlsx"], "not one of .csv"),
        (["empty.csv"], "empty.csv"),
        (["broken.jsonl"], "broken.jsonl cannot be read"),
        (["list.jsonl"], "line 2 is not an object"),
        (["broken.parquet"], "broken.parquet cannot be read"),
        (["t.csv", "--knob", "lrr"], "did you mean lr?"),
        (["t.csv", "--metric", "lr"], "column lr has two roles"),
        (["t.csv", "--metric", "aug"], "aug is not a metric: 'strong' is not a number"),
        (["t.csv", "--objective", "run"], "run is not a metric"),
        (["t.csv", "--out", "runs"], "runs holds trials of clip-hparam"),
    ],
)
def test_bad_input_prints_one_sentence(
    results: pd.DataFrame, call: Call, words: list[str], sentence: str, tmp_path: Path
) -> None:
    write_table(results.assign(aug="strong"), Path("t.csv"))
    files = {
        "t.xlsx": "x",
        "empty.csv": "lr,top1\n",
        "broken.jsonl": '{"lr": 1',
        "list.jsonl": '{"lr": 1}\n[1]\n',
        "broken.parquet": "PAR1",
    }
    for name, text in files.items():
        Path(name).write_text(text)
    Runs(tmp_path / "runs").planned({})
    options = ["--knob", "lr", "--objective", "top1", "--out", "kept"]
    code, out, err = call("import", words[0], *options, *words[1:])
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not Path("kept").exists()


@pytest.mark.parametrize(
    "vandal",
    [
        lambda folder: (folder / "rows.parquet").unlink(),
        lambda folder: (folder / "rows.parquet").write_bytes(b"PAR1"),
        lambda folder: (folder / "study.json").write_text('{"schema": 1}'),
        lambda folder: (folder / "study.json").write_text('{"schema": 99}'),
        lambda folder: (folder / "study.json").write_text("{"),
    ],
)
def test_a_damaged_import_is_reported_and_not_used(
    results: pd.DataFrame, call: Call, vandal: Callable[[Path], Any]
) -> None:
    write_trial_table(
        to_trial_table(results, KNOBS, METRICS, "top1"),
        write_table(results, Path("t.csv")),
        Path("kept"),
    )
    vandal(Path("kept"))
    code, out, err = call("summary", "kept", "--json")
    assert (code, out) == (2, "")
    assert "not used: kept" in err
    assert "no trial is done" in err


def test_a_hundred_thousand_rows_are_imported() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"lr": rng.random(100_000), "wd": rng.random(100_000)})
    imported = to_trial_table(
        rows.assign(top1=rows["lr"] + rng.normal(0, 0.1, 100_000)), ["lr", "wd"], [], "top1"
    )
    assert len(imported.rows) == 100_000
    assert boundary_knobs(imported) == []
