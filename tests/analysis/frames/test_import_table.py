"""Results of others: what is kept, what is set aside, what the summary says of it."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from support.trial_factory import Edit, Runs, write_ladder

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ablation_for_sweep
from clip_hparam.analysis.evidence.evidence import count_missing_runs
from clip_hparam.analysis.evidence.importance import axis_positions, importance
from clip_hparam.analysis.evidence.summary import (
    boundary_knobs,
    boundary_warnings,
    pruning_savings,
    summarise,
)
from clip_hparam.analysis.evidence.summary import format_summary as page_of
from clip_hparam.analysis.figures import registry
from clip_hparam.analysis.frames.frame import trial_table
from clip_hparam.analysis.frames.import_table import (
    read_table,
    read_trial_table,
    to_trial_table,
    write_trial_table,
)
from clip_hparam.analysis.tables.table import cell_table as table_of
from clip_hparam.cli.commands.analysis import main

COLUMNS = [
    "--knob",
    "lr",
    "--knob",
    "mixup",
    "--knob",
    "aug",
    "--metric",
    "top1",
    "--metric",
    "ood",
]
KNOBS, METRICS = ["lr", "mixup", "aug"], ["top1", "ood"]


@pytest.fixture
def table() -> pd.DataFrame:
    """40 trials of known truth: lr matters most, aug some, mixup (sometimes missing) not."""
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({
        "run": [f"run {number}" for number in range(40)],
        "lr": 10 ** draw.uniform(-6, -3, 40),
        "mixup": draw.choice([0.0, 0.5, np.nan], 40),
        "aug": draw.choice(["weak", "strong"], 40),
    })  # fmt: skip
    gain = -((np.log10(rows["lr"]) + 4.5) ** 2) + 0.4 * (rows["aug"] == "weak")
    rows["top1"] = 80 + gain + draw.normal(0, 0.05, 40)
    rows["ood"] = 50 - gain + draw.normal(0, 0.5, 40)
    return rows


def written(table: pd.DataFrame, path: Path) -> Path:
    {
        ".csv": lambda: table.to_csv(path, index=False),
        ".tsv": lambda: table.to_csv(path, index=False, sep="\t"),
        ".parquet": lambda: table.to_parquet(path),
        ".jsonl": lambda: table.to_json(path, orient="records", lines=True, double_precision=15),
    }[path.suffix]()
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_every_format_gives_the_same_study(
    table: pd.DataFrame, tmp_path: Path, suffix: str
) -> None:
    read = to_trial_table(
        read_table(written(table, tmp_path / f"t{suffix}")), KNOBS, METRICS, "top1"
    )
    direct = to_trial_table(table, KNOBS, METRICS, "top1")
    pd.testing.assert_frame_equal(read.rows, direct.rows, check_dtype=False)


def test_a_study_survives_its_folder(table: pd.DataFrame, tmp_path: Path) -> None:
    study = to_trial_table(table, KNOBS, METRICS, "ood", minimize=True, name="run")
    write_trial_table(study, written(table, tmp_path / "t.csv"), tmp_path / "kept")
    again = read_trial_table(tmp_path / "kept")
    pd.testing.assert_frame_equal(again.rows, study.rows, check_names=False, check_dtype=False)
    assert again[1:] == study[1:]


@pytest.mark.parametrize("named", [True, False])
def test_duplicates_are_equal_in_everything_but_their_name(named: bool) -> None:
    rows = [
        {"run": "a", "lr": 1.0, "aug": None, "top1": 80.0, "other": "x"},
        {"run": "b", "lr": 1.0, "aug": None, "top1": 80.0, "other": "x"},  # a by another name
        {"run": "a", "lr": 1.0, "aug": None, "top1": 80.0, "other": "x"},  # a again
        {"run": "c", "lr": 1.0, "aug": None, "top1": 80.0, "other": "y"},  # differs elsewhere
        {"run": "d", "lr": 1.0, "aug": "none", "top1": 80.0, "other": "x"},  # a level, not missing
        {"run": "e", "lr": None, "aug": None, "top1": 81.0, "other": "x"},  # no knob at all
        {"run": "f", "lr": None, "aug": "none", "top1": None, "other": "x"},  # no objective
    ]
    study = to_trial_table(
        pd.DataFrame(rows), ["lr", "aug"], [], "top1", name="run" if named else None
    )
    found = (len(study.rows), study.duplicates, study.incomplete)
    assert found == ((4, 2, 1) if named else (5, 1, 1))
    assert list(study.rows.index[:2]) == (["a", "c"] if named else ["row 1", "row 2"])
    assert len(study.scored) == len(study.rows) - 1


def test_row_numbers_are_no_result(tmp_path: Path) -> None:
    rows = pd.DataFrame({"lr": [1.0, 1.0, 2.0], "top1": [80.0, 80.0, 81.0]})
    rows.to_csv(tmp_path / "t.csv")
    study = to_trial_table(read_table(tmp_path / "t.csv"), ["lr"], [], "top1")
    assert (len(study.rows), study.duplicates) == (2, 1)


def test_the_summary_is_what_one_computes_by_hand(table: pd.DataFrame) -> None:
    said, gaps = summarise(to_trial_table(table, KNOBS, METRICS, "top1", name="run"))
    best = table.loc[table["top1"].idxmax()]
    assert gaps == []
    assert (said["n"], said["duplicates"], said["incomplete"]) == (40, 0, 0)
    assert said["best"]["name"] == best["run"]
    assert said["best"]["metrics"] == {"top1": best["top1"], "ood": best["ood"]}
    assert said["best"]["knobs"]["lr"] == best["lr"]
    rho = scipy_stats.spearmanr(table["top1"], table["ood"]).statistic
    assert said["spearman"]["top1"]["ood"] == pytest.approx(rho)
    assert said["expected_best"]["1"] == pytest.approx(table["top1"].mean())
    assert said["expected_best"]["40"] == pytest.approx(table["top1"].max())
    pairs = [max(a, b) for i, a in enumerate(table["top1"]) for b in table["top1"][:i]]
    assert said["expected_best"]["2"] == pytest.approx(np.mean(pairs))
    assert set(said["expected_best"]) == {"1", "2", "5", "10", "20", "40"}
    assert json.loads(json.dumps(said, allow_nan=False)) == said


@pytest.mark.parametrize("method", ["fanova", "ped_anova"])
def test_importance_finds_the_knob_that_matters_and_says_how_sure(
    table: pd.DataFrame, method: str
) -> None:
    said, _ = summarise(to_trial_table(table, KNOBS, METRICS, "top1"))
    shares = said["importance"][method]
    assert max(shares, key=lambda knob: shares[knob]["mean"]) == "lr"
    assert sum(share["mean"] for share in shares.values()) == pytest.approx(1)
    for share in shares.values():
        assert 0 <= share["low"] <= share["mean"] <= share["high"] <= 1
    assert shares["lr"]["low"] < shares["lr"]["high"]


def test_ped_anova_looks_at_the_best_trials_not_at_the_worst() -> None:
    """`peak` lifts some to the top, `trap` throws some to the bottom: only the first is a find."""
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"peak": draw.random(300), "trap": draw.random(300)})
    gain = 5.0 * (rows["peak"] > 0.9) - 5.0 * (rows["trap"] > 0.9) + draw.normal(0, 0.1, 300)
    found = importance(
        to_trial_table(rows.assign(top1=gain), ["peak", "trap"], [], "top1"), refits=4
    )
    assert found["ped_anova"]["peak"].low > 2 * found["ped_anova"]["trap"].high


def test_an_axis_is_logarithmic_over_two_decades_and_missing_has_its_own_place() -> None:
    wide = axis_positions(pd.Series([1e-5, 1e-1, 1e-3, 0.0, np.nan]))
    assert list(wide[:3]) == pytest.approx([-5, -1, -3])
    assert wide[4] < wide[3] < -5
    narrow = pd.Series([1.0, 100.0, np.nan])
    assert list(axis_positions(narrow)[:2]) == [1.0, 100.0]
    assert axis_positions(narrow)[2] < 1.0
    assert list(axis_positions(pd.Series(["a", None, "b"]))) == ["a", "(missing)", "b"]


def test_minimizing_is_maximizing_the_negative(table: pd.DataFrame) -> None:
    least, _ = summarise(to_trial_table(table, KNOBS, METRICS, "ood", minimize=True))
    negated = table.assign(ood=-table["ood"])
    most, _ = summarise(to_trial_table(negated, KNOBS, METRICS, "ood"))
    assert least["best"]["knobs"] == most["best"]["knobs"]
    assert least["importance"] == most["importance"]
    assert least["edges"] == most["edges"]
    for n, value in least["expected_best"].items():
        assert value == pytest.approx(-most["expected_best"][n])


def test_what_cannot_be_widened_is_no_warning() -> None:
    rows = pd.DataFrame({"mixup": [0.0, 0.4], "lr": [1e-3, 1e-2], "top1": [90.0, 80.0]})
    study = to_trial_table(rows, ["mixup", "lr"], [], "top1")
    assert boundary_knobs(study) == ["mixup", "lr"]
    assert boundary_warnings(study) == ["best lr is the smallest tried, 0.001: widen"]


def test_edges_are_knobs_of_numbers_whose_best_value_is_an_extreme() -> None:
    rows = pd.DataFrame({
        "low": [1, 2, 3], "inner": [3, 2, 1], "one": [7, 7, 7], "text": ["a", "b", "c"],
        "gone": [1.0, np.nan, 3.0], "top1": [1.0, 3.0, 2.0],
    })  # fmt: skip
    knobs = ["low", "inner", "one", "text", "gone"]
    assert boundary_knobs(to_trial_table(rows, knobs, [], "top1")) == []
    assert boundary_knobs(to_trial_table(rows.assign(top1=[3.0, 1.0, 2.0]), knobs, [], "top1")) == [
        *("low", "inner", "gone")
    ]


def test_a_missing_metric_is_no_number_anywhere(table: pd.DataFrame) -> None:
    best = table["top1"].idxmax()
    table.loc[best, "top1"] = np.nan
    table.loc[0, "top1"] = math.inf
    said, gaps = summarise(to_trial_table(table, KNOBS, METRICS, "top1", name="run"))
    assert said["n"] == 40
    assert "40" not in said["expected_best"]
    assert said["best"]["name"] == table["run"][table["top1"].drop(index=[0, best]).idxmax()]
    assert "2 rows have no top1" in gaps[0]


def test_too_little_to_explain_is_a_sentence(table: pd.DataFrame) -> None:
    for rows, knobs in ((table[:9], KNOBS), (table, ["lr"]), (table.assign(top1=1.0), KNOBS)):
        said, gaps = summarise(to_trial_table(rows, knobs, METRICS, "top1"))
        assert said["importance"] == {}
        assert "importance needs 10 rows" in gaps[-1]


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Call:
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        try:
            code = main([str(word) for word in words])
        except SystemExit as error:
            code = int(error.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_from_a_file_to_json_and_nothing_else_on_stdout(table: pd.DataFrame, call: Call) -> None:
    twice = pd.concat([table, table[:3].assign(run="again")])
    written(twice, Path("t.csv"))
    code, out, err = call(
        "import", "t.csv", *COLUMNS, "--objective", "top1", "--name", "run", "--out", "kept"
    )
    assert (code, out.split()) == (0, ["kept/study.json", "kept/rows.parquet"])
    assert "40 of 43 rows kept: 3 duplicates" in err
    code, out, err = call("summary", "kept", "--json")
    said = json.loads(out)
    assert (code, err, said["n"], said["duplicates"]) == (0, "", 40, 3)
    code, out, _ = call("summary", "kept")
    assert said["best"]["name"] in out
    assert "importance by fanova" in out


def test_figures_work_on_it_and_are_named(table: pd.DataFrame, call: Call) -> None:
    write_trial_table(
        to_trial_table(table, KNOBS, METRICS, "top1"), written(table, Path("t.csv")), Path("kept")
    )
    code, out, _ = call("figures", "axes", "best_of_n", "--runs", "kept", "--out", "drawn")
    assert (code, len(out.split())) == (0, 4)
    frames = analysis.load("kept")
    assert registry.default_figures(frames) == ["axes", "best_of_n", "importance", "parallel"]
    code, _, err = call("figures", "cost", "--runs", "kept")
    assert (code, "have no cost.seconds" in err) == (2, True)


def test_an_imported_table_is_a_frame_of_trials(table: pd.DataFrame, tmp_path: Path) -> None:
    rows = table.rename(columns={"run": "label", "aug": "status"})
    study = to_trial_table(rows, ["lr", "mixup", "status"], METRICS, "top1", name="label")
    write_trial_table(study, written(rows, tmp_path / "t.csv"), tmp_path / "kept")
    trials = analysis.load(tmp_path / "kept").trials
    assert list(trials["label"]) == list(table["run"])
    assert set(trials["status"]) == {"done"}
    assert list(trials["imported.status"]) == list(table["aug"])
    assert list(trials["lr"]) == pytest.approx(list(table["lr"]))


def test_our_own_records_are_a_search_too(runs: Runs) -> None:
    write_ladder(runs)
    study = trial_table(runs.frames())
    assert (study.objective, len(study.rows)) == ("selection_acc1", 35)
    assert set(study.knobs) == {
        "lr",
        "mixup",
        "cutmix",
        "ema_decay",
        "layer_decay",
        "epochs",
        "resolution",
    }


def test_a_sampled_design_of_ours_is_a_search_of_its_own(runs: Runs, edit: Edit) -> None:
    draw = np.random.default_rng(0)
    cells = {
        f"draw {n}": {"lr": float(lr), "drop_path": float(drop)}
        for n, (lr, drop) in enumerate(draw.uniform(1e-3, 0.2, (12, 2)))
    }
    for number, values in enumerate(cells.values()):
        runs.done(values, 0, 90 + number / 2)
    runs.done({"lr": 0.9}, 0, 99.0)  # of no draw
    runs.sweep("random", cells, seeds=[0])
    assert "axes" not in registry.default_figures(runs.frames())
    (path,) = (runs.folder / ".sweeps").glob("*.json")
    edit(path, lambda tree: tree.update(kind="random"))
    study = trial_table(runs.frames())
    assert (set(study.knobs), len(study.rows)) == ({"lr", "drop_path"}, 12)
    there = registry.default_figures(runs.frames())
    assert {"axes", "parallel", "importance", "best_of_n", "cost"} <= set(there)


def test_what_a_search_pruned_was_tried_and_is_not_missing(runs: Runs, edit: Edit) -> None:
    cells = {f"draw {n}": {"lr": 1e-3 * n, "drop_path": 0.1 * n} for n in range(1, 6)}
    for number, values in enumerate(cells.values(), 1):
        if number in (2, 4):
            runs.done(values, 0, 90 + number)
        else:
            runs.planned(values, 0).write_status("pruned")
    runs.done({"lr": 0.9}, 0, 99.0)  # of no draw
    runs.sweep("random", cells, seeds=[0])
    (path,) = (runs.folder / ".sweeps").glob("*.json")
    edit(path, lambda tree: tree.update(kind="search"))
    frames = runs.frames()
    study = trial_table(frames)
    said, _ = summarise(study)
    assert (said["n"], said["edges"], set(study.scored["lr"])) == (5, [], {2e-3, 4e-3})
    assert "5 trials, 2 of them with selection_acc1;" in page_of(said, study)
    assert said["spearman"]["selection_acc1"]["test_acc1"] is None  # of two pairs
    spared = pruning_savings(frames)
    assert spared is not None
    assert (spared.trials, spared.pruned) == (5, 3)
    ablation = ablation_for_sweep("random", "search")
    assert count_missing_runs(frames, ablation) == 0
    about = table_of(frames, ablation).notes
    assert next(note for note in about if "pruned" in note).endswith("3 of 5 cells.")
    assert not any("no mean yet" in note for note in about)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.csv"], "there is no file nowhere.csv"),
        (["t.xlsx"], "none of .csv"),
        (["empty.csv"], "empty.csv"),
        (["broken.jsonl"], "broken.jsonl cannot be read"),
        (["list.jsonl"], "line 2 is not an object"),
        (["broken.parquet"], "broken.parquet cannot be read"),
        (["t.csv", "--knob", "lrr"], "did you mean lr?"),
        (["t.csv", "--metric", "lr"], "column lr cannot be two things"),
        (["t.csv", "--metric", "aug"], "aug is no metric: 'strong' is not a number"),
        (["t.csv", "--objective", "run"], "run is no metric"),
        (["t.csv", "--out", "runs"], "runs holds trials of ours"),
    ],
)
def test_bad_input_is_one_sentence(
    table: pd.DataFrame, call: Call, words: list[str], sentence: str, tmp_path: Path
) -> None:
    written(table.assign(aug="strong"), Path("t.csv"))
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
def test_a_damaged_import_is_named_and_never_a_number(
    table: pd.DataFrame, call: Call, vandal: Callable[[Path], Any]
) -> None:
    write_trial_table(
        to_trial_table(table, KNOBS, METRICS, "top1"), written(table, Path("t.csv")), Path("kept")
    )
    vandal(Path("kept"))
    code, out, err = call("summary", "kept", "--json")
    assert (code, out) == (2, "")
    assert "not used: kept" in err
    assert "no trial is done" in err


def test_a_hundred_thousand_rows_are_no_problem() -> None:
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"lr": draw.random(100_000), "wd": draw.random(100_000)})
    study = to_trial_table(
        rows.assign(top1=rows["lr"] + draw.normal(0, 0.1, 100_000)), ["lr", "wd"], [], "top1"
    )
    assert len(study.rows) == 100_000
    assert boundary_knobs(study) == []
