"""Results of other tools are read unchanged and give tables, figures and comparisons."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import optuna
import pandas as pd
import pytest
from support.cli import clip_hparam
from support.event_files import scalar, session, write_events
from support.in_process import Done
from support.ray_folders import RayTrial, write_ray_folder
from support.report_data import report_column
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.compare import compare_cells
from clip_hparam.analysis.frames.frame import load
from clip_hparam.analysis.stats.intervals import estimate

CONFIGS = [("0.1", "0", 0.50), ("0.1", "1", 0.54), ("0.2", "0", 0.61), ("0.2", "1", 0.63)]


def import_into(folder: Path, *words: str) -> Done:
    return clip_hparam("import", *words, "--out", "kept", cwd=folder)


def cells(folder: Path) -> dict[str, dict[str, str]]:
    """Return the rows of the table of the cells by their label."""
    assert clip_hparam("tables", "--runs", "kept", cwd=folder).code == 0
    with (folder / "results" / "kept.csv").open(newline="") as file:
        return {row["cell"]: row for row in csv.DictReader(file)}


def write_wandb(folder: Path) -> list[str]:
    head = ["Name", "State", "Notes", "User", "Created", "Runtime", "optimizer.lr", "seed", "acc"]
    rows = [["run", "finished", "-", "me", "2026", "10", lr, s, str(acc)] for lr, s, acc in CONFIGS]
    others = [["run", state, "-", "me", "2026", "1", "0.1", "2", "0.9"] for state in
              ("crashed", "running", "failed", "killed")]  # fmt: skip
    with (folder / "export.csv").open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([head, *rows, *others])
    return ["export.csv", "--knob", "optimizer.lr", "--objective", "acc", "--seed", "seed"]


def write_optuna(folder: Path) -> list[str]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=f"sqlite:///{folder}/s.db", direction="maximize")
    space = {"lr": optuna.distributions.FloatDistribution(0, 1),
             "seed": optuna.distributions.IntDistribution(0, 9)}  # fmt: skip
    states = optuna.trial.TrialState
    rows = [(lr, s, acc, states.COMPLETE) for lr, s, acc in CONFIGS]
    for lr, seed, value, state in [
        *(*rows, ("0.1", "2", 0.9, states.PRUNED)),
        *(("0.1", "3", None, states.FAIL), ("0.1", "4", None, states.RUNNING)),
        ("0.1", "5", None, states.WAITING),
    ]:
        params = {"lr": float(lr), "seed": int(seed)}
        study.add_trial(
            optuna.trial.create_trial(state=state, value=value, params=params, distributions=space)
        )
    return ["s.db"]


def write_ray(folder: Path) -> list[str]:
    trials = [
        RayTrial(f"5381e18{n}", {"lr": float(lr), "seed": int(seed)}, [{"acc": 0.1}, {"acc": acc}])
        for n, (lr, seed, acc) in enumerate(CONFIGS)
    ]
    others = [RayTrial(f"x{n}", {"lr": 0.1, "seed": 5 + n}, [{"acc": 0.9}], status)
              for n, status in enumerate(("ERROR", "PENDING", "RUNNING", "PAUSED"))]  # fmt: skip
    write_ray_folder(folder / "exp", [*trials, *others])
    return ["exp"]


def write_tensorboard(folder: Path) -> list[str]:
    for number, (lr, seed, acc) in enumerate(CONFIGS):
        events = [*session({"lr": float(lr), "seed": int(seed)}), scalar("acc", 0.1, 1)]
        write_events(folder / "tb" / f"run{number}", [*events, scalar("acc", acc, 2, "double")])
    for number, status in enumerate((2, 3, None, 0)):
        events = [*session({"lr": 0.1, "seed": 7}, status), scalar("acc", 0.9, 1)]
        write_events(folder / "tb" / f"other{number}", events)
    return ["tb"]


def write_semicolons(folder: Path) -> list[str]:
    lines = [f"{n};done;{lr};{seed};{acc}" for n, (lr, seed, acc) in enumerate(CONFIGS)]
    others = [f"{9 + n};{state};0.1;{5 + n};0.9" for n, state in
              enumerate(("failed", "lost", "timeout", "diverged"))]  # fmt: skip
    text = "\n".join(["id;status;lr;seed;acc", *lines, *others]).replace(".", ",")
    (folder / "t.csv").write_text(text, encoding="utf-8-sig")
    return ["t.csv", "--knob", "lr", "--objective", "acc", "--seed", "seed", "--name", "id"]


@pytest.mark.parametrize(
    "write", [write_wandb, write_optuna, write_ray, write_tensorboard, write_semicolons]
)
def test_each_tool_gives_means_intervals_and_paired_differences(
    write: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    done = import_into(tmp_path, *write(tmp_path))
    assert done.code == 0, done.err
    assert "4 of 8 rows kept: 4 left out by state" in done.err
    assert "acc: higher is better" in done.err or "value: higher is better" in done.err
    first, second = cells(tmp_path).values()
    metric = "value" if "value" in first else "acc"
    expected = estimate([0.61, 0.63])
    assert (second["n"], second["asked"]) == ("2", "2")
    assert float(second[metric]) == pytest.approx(0.62)
    assert float(second["ci_low"]) == pytest.approx(expected.low)
    difference = estimate([0.61 - 0.50, 0.63 - 0.54])
    assert float(second["delta"]) == pytest.approx(difference.mean)
    assert float(second["delta_high"]) == pytest.approx(difference.high)
    compared = clip_hparam(
        "compare", "--runs", "kept", first["cell"], second["cell"], "--json", cwd=tmp_path
    )
    answer = json.loads(compared.out)
    assert answer["difference"]["mean"] == pytest.approx(difference.mean)
    assert answer["difference"]["p"] == pytest.approx(difference.p)
    assert list(answer["differs"].values()) == [[0.1, 0.2]]


def test_a_seed_that_is_typed_as_a_knob_makes_replicates(tmp_path: Path) -> None:
    words = ["t.csv", "--knob", "lr", "--knob", "seed", "--objective", "acc", "--name", "id"]
    write_semicolons(tmp_path)
    done = import_into(tmp_path, *words)
    assert done.code == 0, done.err
    assert "seed makes rows of equal knobs replicates, paired by it" in done.err
    summary = json.loads(clip_hparam("summary", "kept", "--json", cwd=tmp_path).out)
    assert (summary["n"], summary["averaged"]) == (2, 4)
    assert set(summary["best"]["knobs"]) == {"lr"}


def test_figures_and_report_draw_an_import(tmp_path: Path) -> None:
    assert import_into(tmp_path, *write_optuna(tmp_path)).code == 0
    figures = clip_hparam("figures", "--runs", "kept", cwd=tmp_path)
    assert figures.code == 0
    names = {Path(line).name for line in figures.out.split()}
    assert {"kept.png", "axes.png", "best_of_n.png"} <= names
    assert clip_hparam("report", "--runs", "kept", cwd=tmp_path).code == 0
    page = (tmp_path / "results" / "report.html").read_text()
    assert "Imported table kept" in page
    assert 0.63 in report_column(page, "imported.value")
    assert "python sweep.py -m" not in page
    summary = clip_hparam("summary", "kept", cwd=tmp_path)
    assert "2 cells, means of 4 trials" in summary.out
    assert "highest value: lr=0.2" in summary.out


def test_results_of_model_soups_need_no_option(tmp_path: Path) -> None:
    lines = [
        {"model_name": f"model_{n}", "ImageNet2p": held, "ImageNet": held - 0.02}
        for n, held in enumerate([0.78, 0.81, 0.785, 0.785])
    ]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = import_into(tmp_path, "r.jsonl")
    assert done.code == 0, done.err
    assert "model_3 equals model_2" in done.err
    table = cells(tmp_path)
    assert list(table) == [f"model_{n}" for n in range(4)]
    assert float(table["model_1"]["ImageNet2p"]) == 0.81
    assert "ImageNet2p   |" in (tmp_path / "results" / "kept.md").read_text()
    assert "0.8100" in (tmp_path / "results" / "kept.md").read_text()


TABLE = "run,optimizer.lr,test_acc1,val_loss,note,seed\na,0.1,0.8,0.5,x,0\nb,0.2,81,0.4,,0\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--knob", "lr", "--objective", "val_loss"], "did you mean optimizer.lr?"),
        (["--knob", "optimizer.lr", "--objective", "loss"], "no column loss"),
        (["--knob", "optimizer.lr", "--objective", "note"], "'x' is not a number"),
        (["--objective", "val_loss"], "type --knob COLUMN"),
        (["--knob", "optimizer.lr"], "type --objective COLUMN"),
        (["--knob", "optimizer.lr", "--objective", "test_acc1"], "fractions and percent?"),
        (["--knob", "seed", "--objective", "val_loss", "--seed", "seed"], "has two roles"),
        (["--knob", "note", "--objective", "val_loss", "--state", "run"], "no row is complete"),
        (["--format", "xls"], "there is no format xls"),
        (["--format", "ray"], "is not a folder"),
        (["--format", "optuna"], "neither a SQLite file, nor a journal or a CSV"),
        (["--format", "tensorboard"], "t.csv is damaged at byte 0, or not an event file"),
        (["--format", "jsonl"], "line 1 is not JSON"),
        (["--minimize", "--maximize"], "not allowed with"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(
    words: list[str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    done = import_into(tmp_path, "t.csv", *words)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("words", "best", "said"),
    [
        (["val_loss"], "b", "lower is better (--maximize reverses it)"),
        (["val_loss", "--maximize"], "a", "higher is better (--minimize reverses it)"),
        (["test_acc1", "--percent", "test_acc1"], "b", "higher is better"),
        (["test_acc1", "--percent", "test_acc1", "--minimize"], "a", "lower is better"),
    ],
)
def test_the_direction_of_the_objective_is_printed(
    words: list[str], best: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    options = ("--knob", "optimizer.lr", "--name", "run", "--objective", *words)
    done = import_into(tmp_path, "t.csv", *options)
    assert said in done.err
    assert "column seed is not used: --seed seed" in done.err
    summary = json.loads(clip_hparam("summary", "kept", "--json", cwd=tmp_path).out)
    assert summary["best"]["name"] == best


def test_fractions_are_never_called_percent(tmp_path: Path) -> None:
    rows = "".join(f"0.{n},{seed},0.8{n}{seed}\n" for n in range(1, 4) for seed in range(2))
    (tmp_path / "t.csv").write_text(f"lr,seed,test_acc1\n{rows}")
    options = ("--knob", "lr", "--seed", "seed", "--objective", "test_acc1")
    assert import_into(tmp_path, "t.csv", *options).code == 0
    assert float(cells(tmp_path)["lr=0.2"]["test_acc1"]) == pytest.approx(0.8205)
    assert clip_hparam("report", "--runs", "kept", cwd=tmp_path).code == 0
    assert "%" not in (tmp_path / "results" / "kept.md").read_text().replace("95 %", "")
    assert "test accuracy" not in (tmp_path / "results" / "report.html").read_text()


def test_a_missing_metric_leaves_its_cell_without_a_mean(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("lr,seed,loss\n0.1,0,0.5\n0.1,1,NaN\n0.2,0,0.4\n0.2,1,inf\n")
    options = ("--knob", "lr", "--seed", "seed", "--objective", "loss")
    done = import_into(tmp_path, "t.csv", *options)
    assert "2 rows without loss" in done.err
    assert [(row["n"], row["asked"], row["loss"]) for row in cells(tmp_path).values()] == [
        *(("1", "2", ""), ("1", "2", ""))
    ]
    notes = (tmp_path / "results" / "kept.md").read_text()
    assert "lr=0.1: 1 of 2 rows have loss, so there is no mean." in notes


def test_a_table_of_hundreds_of_columns_prints_no_performance_warning(tmp_path: Path) -> None:
    names = [f"config.knob{number}" for number in range(150)]
    head = ",".join(["id", "seed", "acc", *names])
    rows = [",".join([f"{n}", f"{n % 2}", f"0.{n + 5}", *[f"x{n // 2}"] * 150]) for n in range(4)]
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]))
    knobs = [f"--knob={name}" for name in names]
    options = ("--objective", "acc", "--seed", "seed", "--name", "id")
    done = import_into(tmp_path, "t.csv", *knobs, *options)
    assert done.code == 0, done.err
    first, second = cells(tmp_path).values()
    assert [float(first["acc"]), float(second["acc"])] == pytest.approx([0.55, 0.75])


def test_our_own_runs_and_an_import_are_not_compared(tmp_path: Path) -> None:
    Runs(tmp_path / "runs").done({"lr": 1e-3}, 0, 90.0)
    done = import_into(tmp_path, "runs")
    assert (done.code, done.out) == (2, "")
    assert "holds trials of clip-hparam, which need no import" in done.err
    (tmp_path / "t.csv").write_text("lr,seed,acc\n0.1,0,0.9\n0.2,0,0.8\n")
    options = ("--knob", "lr", "--seed", "seed", "--objective", "acc")
    assert import_into(tmp_path, "t.csv", *options).code == 0
    frames = load([tmp_path / "runs", tmp_path / "kept"])
    with pytest.raises(ValueError, match="is imported: their units and seeds differ"):
        compare_cells(frames, frames.trials["trial_id"][0], "lr=0.1")
    assert compare_cells(frames, "lr=0.1", "lr=0.2").difference.mean == pytest.approx(-0.1)


def test_steps_of_unnamed_trials_are_not_averaged(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("epoch,lr,acc\n0,0.1,70\n1,0.1,80\n0,0.2,60\n1,0.2,65\n")
    done = import_into(tmp_path, "t.csv", "--knob", "lr", "--objective", "acc")
    assert (done.code, done.out) == (2, "")
    assert "rows of equal knobs, such as row 1, differ in epoch: keep one row" in done.err
    (tmp_path / "t.csv").write_text("epoch,lr,acc\n7,0.1,70\n9,0.2,60\n")
    assert import_into(tmp_path, "t.csv", "--knob", "lr", "--objective", "acc").code == 0


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"lr": [0.1, 0.2], "acc": [80.0, 81.0], "tags": [["a"], ["b", "c"]]}),
        pd.DataFrame({"lr": [0.1, 0.2], "acc": [80.0, 81.0], "config": [{"x": 1}, {"x": 2}]}),
        pd.DataFrame({"lr": [0.1, 0.2], "acc": [80.0, 81.0]}, index=["first", "second"]),
        pd.DataFrame({"lr": [9, 0.1, 0.2], "acc": [1, 80.0, 81.0]})[1:],
        pd.DataFrame({"lr": [0.1, 0.2], "acc": [80.0, 81.0]}, dtype="float32"),
    ],
)
def test_any_frame_in_parquet_is_read(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_parquet(tmp_path / "t.parquet")
    done = import_into(tmp_path, "t.parquet", "--knob", "lr", "--objective", "acc")
    assert done.code == 0, done.err
    assert {cell: row["acc"] for cell, row in cells(tmp_path).items()} == {
        "lr=0.1": "80.0",
        "lr=0.2": "81.0",
    }


def test_lists_of_a_parquet_file_are_levels(tmp_path: Path) -> None:
    frame = pd.DataFrame({"betas": [[0.9, 0.98], [0.9, 0.999]], "acc": [80.0, 81.0]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert import_into(tmp_path, "t.parquet", "--knob", "betas", "--objective", "acc").code == 0
    assert set(cells(tmp_path)) == {"betas=[0.9, 0.98]", "betas=[0.9, 0.999]"}


def test_json_rows_keep_lists_and_line_separators_and_refuse_a_key_twice(tmp_path: Path) -> None:
    options = ("t.jsonl", "--knob", "betas", "--objective", "acc")
    rows = ['{"betas": [0.90, "x"], "note": "a\u2028b", "acc": 1}', '{"betas": [0.5], "acc": 2}']
    (tmp_path / "t.jsonl").write_text("\r\n".join(rows))
    assert import_into(tmp_path, *options).code == 0
    assert set(cells(tmp_path)) == {'betas=[0.90, "x"]', "betas=[0.5]"}
    (tmp_path / "t.jsonl").write_text('{"o.lr": 1, "o": {"lr": 2}, "betas": 1, "acc": 1}')
    done = import_into(tmp_path, *options)
    assert done.code == 2
    assert "o.lr is there twice: as one key and as nested keys" in done.err


@pytest.mark.parametrize(
    "seeds", [("18446744073709551615", "18446744073709551614"), (f"{10**16}", f"{10**16 + 1}")]
)
def test_large_seeds_stay_apart(seeds: tuple[str, str], tmp_path: Path) -> None:
    rows = [f"{lr},{seed},{lr}{n}" for lr in (1, 2) for n, seed in enumerate(seeds)]
    (tmp_path / "t.csv").write_text("\n".join(["lr,seed,acc", *rows]))
    options = ("--knob", "lr", "--objective", "acc", "--seed", "seed")
    done = import_into(tmp_path, "t.csv", *options)
    assert done.code == 0, done.err
    assert [row["n"] for row in cells(tmp_path).values()] == ["2", "2"]
    assert float(cells(tmp_path)["lr=2"]["delta"]) == pytest.approx(10)


@pytest.mark.parametrize("metric", ["valLoss", "testError", "cross_entropy", "logloss", "WER"])
def test_more_names_of_losses_are_minimized(metric: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"lr,{metric}\n0.1,2\n0.2,1\n")
    done = import_into(tmp_path, "t.csv", "--knob", "lr", "--objective", metric)
    assert f"{metric}: lower is better" in done.err


def test_a_header_without_rows_is_reported(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("lr,acc\n")
    done = import_into(tmp_path, "t.csv", "--knob", "lr", "--objective", "acc")
    assert (done.code, done.err) == (2, "clip-hparam: t.csv has no rows\n")


def test_the_report_of_an_import_uses_means_of_cells(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("lr,seed,acc\n0.1,0,84\n0.1,1,70\n0.2,0,79\n0.2,1,81\n")
    options = ("--knob", "lr", "--objective", "acc", "--seed", "seed")
    assert import_into(tmp_path, "t.csv", *options).code == 0
    assert clip_hparam("report", "--runs", "kept", cwd=tmp_path).code == 0
    page = (tmp_path / "results" / "report.html").read_text()
    assert "2 cells, means of 4 trials" in page
    assert "highest acc: lr=0.2" in page
    assert "git unknown" not in page
    assert "Spearman" not in page


def test_none_of_the_only_knob_is_a_level_of_a_study(tmp_path: Path) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=f"sqlite:///{tmp_path}/s.db", direction="maximize")
    space = {"aug": optuna.distributions.CategoricalDistribution([None, "weak"])}
    for aug, value in ((None, 3.0), ("weak", 1.0)):
        study.add_trial(
            optuna.trial.create_trial(value=value, params={"aug": aug}, distributions=space)
        )
    done = import_into(tmp_path, "s.db")
    assert "2 of 2 rows kept" in done.err
    assert [float(row["value"]) for row in cells(tmp_path).values()] == [3, 1]


def test_percent_of_an_unknown_metric_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("lr,acc\n0.1,0.9\n0.2,80\n")
    options = ("--knob", "lr", "--objective", "acc", "--percent", "ac")
    done = import_into(tmp_path, "t.csv", *options)
    assert (done.code, done.err) == (2, "clip-hparam: there is no column ac: did you mean acc?\n")


@pytest.mark.parametrize(
    "text",
    [
        '{"lr": 0.1, "lr": 0.2, "acc": 90}\n{"lr": 0.3, "acc": 91}\n',
        '[{"lr": 0.1, "acc": 90, "acc": 91}]',
        '{"acc": 90, "optimizer": {"lr": 0.1, "lr": 0.2}}\n',
    ],
)
def test_a_key_that_an_object_has_twice_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text(text)
    done = import_into(tmp_path, "results.jsonl", "--metric", "acc")
    assert done.code == 2
    assert re.search(r"an object has the key (lr|acc) twice: keep one of them", done.err)
    assert not (tmp_path / "kept").exists()


def test_a_key_that_stands_twice_in_a_trial_of_ray_is_refused(tmp_path: Path) -> None:
    write_ray_folder(tmp_path / "ray", [RayTrial("a", {"lr": 0.1}, [{"acc": 90.0}])])
    (params,) = (tmp_path / "ray").rglob("params.json")
    params.write_text('{"lr": 0.1, "lr": 0.2}')
    done = import_into(tmp_path, "ray", "--objective", "acc")
    assert done.code == 2
    assert "an object has the key lr twice" in done.err


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("results.jsonl", '{"lr": 0.1, "acc": 90}\n{"lr ": 0.2, "acc": 91}\n'),
        ("results.jsonl", '{"\\u00e9": 0.1, "acc": 90}\n{"e\\u0301": 0.2, "acc": 91}\n'),
        ("results.csv", "\u00e9,e\u0301,acc\n0.1,0.2,90\n"),
    ],
)
def test_columns_whose_names_look_the_same_are_refused(
    name: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    done = import_into(tmp_path, name, "--metric", "acc")
    assert done.code == 2
    assert "two columns whose names look the same" in done.err


@pytest.mark.parametrize("options", [(), ("--format", "optuna")], ids=["by content", "named"])
def test_a_study_is_named_only_in_a_storage(options: tuple[str, ...], tmp_path: Path) -> None:
    header = "number,value,datetime_start,params_lr,state"
    (tmp_path / "results.csv").write_text(f"{header}\n0,90,2026-01-01,0.1,COMPLETE\n")
    done = import_into(tmp_path, "results.csv", *options, "--study", "mine")
    assert done.code == 2
    assert "--study mine" in done.err
    assert "leave" in done.err
    assert import_into(tmp_path, "results.csv", *options, "--maximize").code == 0
