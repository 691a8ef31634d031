"""status, why and describe of `clip-hparam`, as text and as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import clip_hparam as ask

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.identity import canonical, label, trial_id
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.atomic import write_json
from clip_hparam.records.record import Record
from clip_hparam.records.state import trial_state

RECIPES = [
    resolve(with_values(Recipe(), {"seed": seed, "data.selection": 10})) for seed in range(4)
]
IDS = [trial_id(recipe) for recipe in RECIPES]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a runs folder with a done, a failed, a lost and a planned trial."""
    records = [Record(tmp_path / "runs", name) for name in IDS]
    for record, recipe in zip(records[:3], RECIPES, strict=False):
        record.write_recipe(canonical(recipe), label(recipe))
    records[0].write_result({"metrics": {}})
    (records[1].folder / "log.txt").write_text("one\ntwo\nthree\n")
    records[1].write_failure("failed", "error", "ValueError: no")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    records[2].write_status("running", host=os.uname().nodename, pid=ended.pid)
    cell = {"label": "one", "overrides": [], "trials": dict(enumerate(IDS))}
    head = {"schema": 1, "sweep_id": "s1", "name": "ladder", "kind": "ladder"}
    tree = {**head, "created": "2026-01-01T00:00:00Z", "cells": [cell]}
    write_json(tmp_path / "runs" / ".sweeps" / "s1.json", tree)
    return tmp_path


def test_status_counts_the_states_of_a_sweep(runs: Path) -> None:
    done = ask("status", "--json", cwd=runs)
    assert done.code == 0, done.err
    (sweep,) = json.loads(done.out)
    assert sweep["states"] == {"done": 1, "failed": 1, "lost": 1, "planned": 1}
    assert "ladder: 1 done, 1 failed, 1 lost, 1 planned" in ask("status", cwd=runs).out


def test_status_without_records_is_a_sentence(tmp_path: Path) -> None:
    done = ask("status", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "type clip-hparam sweep -m sweeps=ladder" in done.out
    assert ask("status", "--json", cwd=tmp_path).out == "[]\n"


def test_trial_on_another_host_is_lost_without_a_recent_heartbeat(runs: Path) -> None:
    record = Record(runs / "runs", IDS[2])
    record.write_status("running", host="elsewhere")
    assert trial_state(record) == "running"
    tree = record.status()
    write_json(record.folder / "status.json", {**tree, "heartbeat": "2026-01-01T00:00:00Z"})
    assert trial_state(record) == "lost"


def test_why_shows_failure_log_and_rerun_command(runs: Path) -> None:
    done = ask("why", IDS[1][:6], "--json", cwd=runs)
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert (facts["state"], facts["failure"]["message"]) == ("failed", "ValueError: no")
    assert facts["log"] == ["one", "two", "three"]
    assert "no" in ask("why", IDS[1], cwd=runs).out


def test_rerun_command_of_why_has_the_same_trial_id(runs: Path) -> None:
    rerun = json.loads(ask("why", IDS[1], "--json", cwd=runs).out)["rerun"]
    words = rerun.removeprefix("clip-hparam sweep ").split()
    assert trial_id(resolve(compose_recipe(words))) == IDS[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("why", "zzz"), "no trial is called zzz"),
        (("why", ""), "no trial is called"),
        (("stauts",), "no command is called stauts: did you mean status?"),
        (("describe", "ler=1"), "unknown knob ler: did you mean lr?"),
        (("describe", "layer_decay=2"), "try 0.65"),
        (("describe", "machine.micro_batch=10"), "does not divide batch_size=25: try 5"),
    ],
)
def test_mistake_is_one_sentence(words: tuple[str, ...], message: str, runs: Path) -> None:
    done = ask(*words, cwd=runs)
    assert message in done.err
    assert (done.code, done.err.count("\n")) == (2, 1)


def test_describe_shows_the_lr_of_each_layer_and_warns(tmp_path: Path) -> None:
    done = ask("describe", "recipe=ema", "ema_decay=0.9999", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "lr, block 5" in done.out
    assert "never warms up" in done.out


def test_describe_shows_the_memory_on_the_card_of_the_machine(tmp_path: Path) -> None:
    done = ask("describe", "machine.device_name=H100", "machine.micro_batch=5", cwd=tmp_path)
    assert done.code == 0, done.err
    (line,) = (line for line in done.out.splitlines() if line.startswith("memory "))
    assert line.endswith(" fixed on a GPU: 5 of 25 images at once fit an H100 of 80 GB")
