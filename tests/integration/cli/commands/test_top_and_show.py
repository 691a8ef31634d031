"""`clip-hparam top` lists trials, and `clip-hparam show` is a page about one."""

import json
from pathlib import Path

import pytest
from support.cli import clip_hparam as ask

from clip_hparam.config.identity import canonical, trial_id
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.atomic import write_json
from clip_hparam.records.record import Record

ACCURACIES = {0.01: 90.0, 0.02: 95.0, 0.03: 92.0}
COLUMNS = tuple(f"{split}_{name}.raw" for split in ("test", "selection") for name in ("acc1",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three done trials, the first two of a sweep, and one that is lost."""
    ids = {}
    for lr, accuracy in ACCURACIES.items():
        recipe = resolve(with_values(Recipe(), {"lr": lr}))
        record = Record(tmp_path / "runs", trial_id(recipe))
        record.write_recipe(canonical(recipe), f"lr={lr},seed=0")
        record.write_status("running", overrides=[f"lr={lr}", "seed=0", "workers=1"])
        record.write_rows([
            {"epoch": epoch, "step": epoch, "lr": lr / (epoch + 1), "train_loss": 2.0 - epoch,
             "selection_acc1.raw": accuracy - 1 + epoch, "seconds": 1.0}
            for epoch in range(2)
        ])  # fmt: skip
        metrics = {f"{name}.selected": accuracy for name in COLUMNS}
        record.write_result({
            "metrics": metrics, "selected_weights": "raw", "cost": {"seconds": 75.0},
            "epochs": {"selected": 1, "last": 1}, "numerics": {"device": "cpu"},
        })  # fmt: skip
        ids[lr] = record.trial_id
    lost = resolve(with_values(Recipe(), {"lr": 0.04}))
    record = Record(tmp_path / "runs", trial_id(lost))
    record.write_recipe(canonical(lost), "lr=0.04,seed=0")
    record.write_status("running", host="elsewhere", pid=1)
    old = json.loads((record.folder / "status.json").read_text())
    write_json(record.folder / "status.json", {**old, "heartbeat": "2026-01-01T00:00:00Z"})
    trials = {"label": "both", "overrides": [], "trials": {0: ids[0.01], 1: ids[0.02]}}
    head = {"schema": 1, "sweep_id": "abc123", "name": "mine", "kind": "grid", "cells": [trials]}
    write_json(
        tmp_path / "runs" / ".sweeps" / "abc123.json", {**head, "created": "2026-01-01T00:00:00Z"}
    )
    return tmp_path


def names(folder: Path, *words: str) -> list[str]:
    done = ask("top", "--json", *words, cwd=folder)
    assert (done.code, done.err) == (0, "")
    return [trial["name"].partition(",")[0] for trial in json.loads(done.out)]


def test_top_lists_the_trials_of_sweeps_and_single_ones(folder: Path) -> None:
    assert names(folder) == ["lr=0.02", "lr=0.03", "lr=0.01", "lr=0.04"]
    assert names(folder, "mine") == ["lr=0.02", "lr=0.01"]
    assert names(folder, "--where", "lr>0.01", "--where", "state=done") == ["lr=0.02", "lr=0.03"]
    assert names(folder, "--by", "lr", "--rows", "1") == ["lr=0.04"]


def test_top_prints_names_as_typed_and_the_state_of_now(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = ask("top", cwd=folder)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert any(line.endswith("lr=0.02,seed=0") and " done " in line for line in lines)
    assert any(line.endswith("lr=0.04,seed=0") and " lost " in line for line in lines)
    assert lines[-1] == "4 trials"
    assert max(map(len, lines)) <= 80


def test_top_has_a_table_for_each_data_set(folder: Path) -> None:
    assert "data=" not in ask("top", cwd=folder).out
    recipe = with_values(resolve(Recipe()), {"data.name": "folder", "data.fingerprint": "cd" * 32})
    record = Record(folder / "runs", trial_id(recipe))
    record.write_recipe(canonical(recipe), "mine")
    record.write_status("failed")
    lines = ask("top", cwd=folder).out.splitlines()
    heads = [line for line in lines if line.startswith("data=")]
    assert heads == ["data=digits", "data=folder"]
    assert lines.index("4 trials") < lines.index("data=folder") < lines.index("1 trial")
    assert lines[-1] == "2 data sets, a table each: their accuracies are not comparable"
    assert {trial["data"] for trial in json.loads(ask("top", "--json", cwd=folder).out)} == {
        *("digits", "folder")
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--where", "lr"], "not a comparison"),
        (["--where", "lr>x"], "lr holds numbers"),
        (["--by", "lrr"], "did you mean lr"),
        (["--rows", "-1"], "0 lists all"),
        (["nothing"], "no sweep is called nothing"),
    ],
)
def test_mistakes_of_top_are_one_sentence(folder: Path, words: list[str], message: str) -> None:
    done = ask("top", *words, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert len(done.err.splitlines()) == 1


def test_show_is_a_page_about_a_trial(folder: Path) -> None:
    facts = json.loads(ask("show", "lr=0.02,seed=0", "--json", cwd=folder).out)
    assert facts["typed"] == ["lr=0.02", "seed=0"]
    assert facts["curves"]["selection_acc1"] == [94.0, 95.0]
    assert facts["command"].startswith("clip-hparam sweep lr=0.02")
    text = ask("show", facts["trial_id"][:6], cwd=folder).out
    for part in ("lr=0.02", "▁█  94 → 95", "test      acc1 95 %", "1 min, on cpu", "epoch 2 of 2"):
        assert part in text.replace("75 s", "1 min")
    assert "mine (abc123), seed 1" in text


@pytest.mark.parametrize(
    ("name", "message"),
    [("both", "is a cell of 2 trials: name one of"), ("zzzz", "no trial is called zzzz")],
)
def test_show_refuses_a_name_of_no_trial_or_several(folder: Path, name: str, message: str) -> None:
    done = ask("show", name, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
