"""gather, compare, retry, verify, gc and completion on records with known values."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.trial_factory import SEEDS, Ladder, Runs

from clip_hparam.cli import main
from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.recipe import Recipe
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.lock import lock_folder
from clip_hparam.records.record import Record, trial_ids

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return a function that runs `clip-hparam` in a folder and returns exit code and stdout."""
    monkeypatch.chdir(tmp_path)

    def asked(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["clip-hparam", *words])
        code = main.main()
        said = capsys.readouterr()
        return code, said.out + (said.err if code else "")

    return asked


def record_of(ladder: Ladder, rung: str, seed: int) -> Record:
    (path,) = ladder.runs.folder.glob(".sweeps/*.json")
    tree = read_json(path) or {}
    cell = next(cell for cell in tree["cells"] if cell["label"] == rung)
    return Record(ladder.runs.folder, cell["trials"][str(seed)])


def test_gather_writes_what_the_analysis_reads(ladder: Ladder, ask: Ask) -> None:
    code, out = ask("gather", "--json")
    facts = json.loads(out)
    assert (code, facts["trials"], facts["done"]) == (0, 34, 34)
    assert facts["missing"] == [record_of(ladder, "ema", 4).trial_id]
    trials = pd.read_parquet("results/trials.parquet")
    assert trials.attrs == {"schema": 1}
    frames = ladder.runs.frames()
    assert list(trials.columns) == list(frames.trials.columns)
    column = "test_acc1.ema.selected"
    pd.testing.assert_series_equal(trials[column], frames.trials[column])
    assert len(pd.read_csv("results/epochs.csv")) == len(frames.epochs)
    assert ask("gather", "--strict")[0] == 4


def test_compare_is_the_mean_of_the_differences_by_seed(ladder: Ladder, ask: Ask) -> None:
    code, out = ask("compare", "lower_lr", "ladder/ema", "--json")
    facts = json.loads(out)
    truth = ladder.truth
    deltas = [truth["ema"][seed] - truth["lower_lr"][seed] for seed in truth["ema"]]
    assert code == 0
    assert facts["differs"] == {"ema_decay": [0.0, 0.98]}
    assert facts["difference"]["mean"] == pytest.approx(sum(deltas) / len(deltas))
    assert (facts["before"]["done"], facts["after"]["done"], facts["after"]["asked"]) == (5, 4, 5)
    assert "difference +" in ask("compare", "lower_lr", "ema")[1]


def test_trial_id_stands_for_its_cell_in_compare(ladder: Ladder, ask: Ask) -> None:
    ids = [record_of(ladder, rung, 2).trial_id for rung in ("lower_lr", "llrd")]
    by_trial, by_label = (
        ask("compare", *names, "--json")[1] for names in (ids, ("lower_lr", "llrd"))
    )
    assert json.loads(by_trial) == json.loads(by_label)


def test_retry_lists_trials_that_are_not_done_and_their_command(ladder: Ladder, ask: Ask) -> None:
    (path,) = ladder.runs.folder.glob(".sweeps/*.json")
    tree = read_json(path) or {}
    write_json(path, {**tree, "command": ["sweep.py", "-m", "sweeps=ladder", "machine.runs=old"]})
    facts = json.loads(ask("retry", "--json")[1])
    left = record_of(ladder, "ema", 4).trial_id
    named = {"trial_id": left, "name": "ema seed=4"}
    assert facts["trials"] == [{**named, "state": "planned", "message": None}]
    assert facts["command"][2:] == ["-m", "sweeps=ladder", "machine.runs=runs"]
    assert left in ask("retry", "ladder")[1]
    assert ask("retry", "--failed", "--run") == (0, "no trial of ladder is left to run\n")
    record_of(ladder, "ema", 4).write_failure("diverged", "diverged", "at step 3")
    assert f"{left} diverged: at step 3" in ask("retry", "--failed")[1]


def test_verify_finds_a_changed_byte(ladder: Ladder, ask: Ask) -> None:
    assert ask("verify")[0] == 0
    victim = record_of(ladder, "llrd", 1)
    bits = victim.folder / "correct.npz"
    content = bytearray(bits.read_bytes())
    content[-1] ^= 1
    bits.write_bytes(content)
    code, out = ask("verify", "--json")
    assert code == 3
    damaged = {victim.trial_id: ["correct.npz"]}
    assert json.loads(out) == {"sealed": 33, "damaged": damaged, "packs": []}


def test_gc_lists_and_removes_only_unneeded_files(ladder: Ladder, ask: Ask) -> None:
    done, live = record_of(ladder, "ema", 0), record_of(ladder, "ema", 1)
    unfinished = Record(ladder.runs.folder, "f" * 12)
    for record in (done, live, unfinished):
        (record.folder / "checkpoint").mkdir(parents=True)
        (record.folder / "checkpoint" / "step_1.pt").write_bytes(bytes(1000))
        (record.folder / ".lock").touch()
    (done.folder / "result.json.damaged-1").write_text("{")
    (done.folder / ".status.json.abc").write_text("{")
    with lock_folder(live.folder):
        listed = json.loads(ask("gc", "--json")[1])
        names = [Path(item["path"]).name for item in listed["items"]]
        assert names == ["result.json.damaged-1", "checkpoint", ".status.json.abc", ".lock"]
        assert listed["items"][1]["bytes"] == 1000
        assert listed["removed"] == 0
        assert json.loads(ask("gc", "--yes", "--json")[1])["removed"] == 4
    assert sorted(path.name for path in unfinished.folder.iterdir()) == [".lock", "checkpoint"]
    assert (live.folder / "checkpoint" / "step_1.pt").exists()
    assert done.is_done()
    assert "nothing to remove" not in ask("gc")[1]  # the live one is no longer


def test_completion_lists_the_commands(ask: Ask) -> None:
    code, out = ask("completion", "bash")
    assert code == 0
    assert "status top show why describe gather compare export-recipe fidelity retry" in out


def test_every_command_of_records_prints_json(ladder: Ladder, ask: Ask) -> None:
    assert len(list(trial_ids(ladder.runs.folder))) == 7 * len(SEEDS) - 1
    of_a_sweep = (("cancel", "ladder"), ("compare", "ema", "llrd"), ("pack",))
    for words in (
        ("status",),
        ("why", "ladder/ema"),
        ("verify",),
        ("gc",),
        ("gather",),
        *of_a_sweep,
    ):
        code, out = ask(*words, "--json")
        json.loads(out)
        assert code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("compare", "lower_rl", "ema"), "did you mean lower_lr"),
        (("compare", "lower_lr", "ema", "--metric", "test_acc2"), "mean test_acc5 or test_acc1"),
        (("retry", "lader"), "did you mean ladder"),
        (("status", "lader"), "did you mean ladder"),
        (("why", "ladder/emma"), "no trial is called ladder/emma"),
        (("why", ""), "no trial is called  in runs"),
        (("verify", "--runs", "rnus"), "there is no folder rnus"),
        (("gc", "--runs", "rnus"), "there is no folder rnus"),
    ],
)
def test_mistake_is_one_sentence(
    words: tuple[str, ...], message: str, ladder: Ladder, ask: Ask
) -> None:
    code, out = ask(*words)
    assert message in out
    assert (code, out.count("\n")) == (2, 1)


def test_single_trial_is_not_called_unknown(tmp_path: Path, ask: Ask) -> None:
    trial_id = Runs(tmp_path / "runs").done({"lr": 2e-3}, 0, 95.0).trial_id
    code, out = ask("export-recipe", trial_id[:6])
    assert (code, out.count("\n")) == (2, 1)
    assert f"{trial_id} is in no cell of the newest sweeps: clip-hparam why {trial_id}" in out


def exported(folder: Path) -> Recipe:
    """Return the recipe that the exported file conf/recipe/winner.yaml composes to."""
    return compose_recipe([f"hydra.searchpath=[file://{folder / 'conf'}]", "recipe=winner"])


@pytest.mark.parametrize(
    "overrides",
    [
        ("lr=2e-3", "layer_decay=0.7", "ema_decay=auto"),
        ("recipe=llrd", "epochs=4", "rand_augment=none"),
        ("encoder=tiny_random", "data.shots=10", "data.selection=0.2", "mixup=0.8"),
        ("recipe=ft_clip/b16", "drop_path=0.1"),
    ],
)
def test_exported_recipe_has_the_trial_ids_of_its_cell(
    overrides: tuple[str, ...], tmp_path: Path, ask: Ask
) -> None:
    runs = Runs(tmp_path / "runs")
    runs.folder.mkdir()
    for seed, acc1 in enumerate((95.0, 96.0, 94.0)):
        runs.done({"lr": 2e-3}, seed, acc1)
    runs.sweep("chosen", {"cell": {"lr": 2e-3}}, range(3))
    (path,) = runs.folder.glob(".sweeps/*.json")
    tree = read_json(path) or {}
    tree["cells"][0]["overrides"] = list(overrides)
    write_json(path, tree)
    code, out = ask("export-recipe", "chosen", "--out", "conf/recipe/winner.yaml")
    assert (code, out.strip()) == (0, "conf/recipe/winner.yaml")
    assert exported(tmp_path) == compose_recipe(overrides)
    text = (tmp_path / "conf/recipe/winner.yaml").read_text()
    assert "95.00 +- 2.48 % of the test set" in text
    assert "seeds 0, 1, 2" in text
    assert ask("export-recipe", "chosen", "--out", "conf/recipe/winner.yaml")[0] == 2


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("conf/recipe/won.yaml", "recipe=won data.root=photos"),
        ("mine/recipe/own/won.yaml", "--config-dir mine recipe=own/won data.root=photos"),
        ("won.yaml", "--config-dir FOLDER recipe=won data.root=photos"),
    ],
)
def test_exported_recipe_opens_with_the_command_that_runs_it(
    file: str, words: str, tmp_path: Path, ask: Ask
) -> None:
    runs = Runs(tmp_path / "runs")
    runs.done({"lr": 2e-3}, 0, 95.0)
    runs.sweep("chosen", {"cell": {"lr": 2e-3}}, range(1))
    (path,) = runs.folder.glob(".sweeps/*.json")
    tree = read_json(path) or {}
    tree["cells"][0]["overrides"] = ["data=folder", "data.root=photos", "lr=2e-3"]
    write_json(path, tree)
    code, out = ask("export-recipe", "chosen", "--out", file)
    assert code == 0
    command = (tmp_path / file).read_text().splitlines()[1]
    assert command.endswith(f" {words}"), command
    assert ("put it into FOLDER/recipe" in out) == ("FOLDER" in words)


def test_sweep_exports_its_best_finished_cell(ladder: Ladder, ask: Ask) -> None:
    said = json.loads(ask("export-recipe", "ladder", "--json")[1])
    means = {rung: sum(by.values()) / len(by) for rung, by in ladder.truth.items() if len(by) == 5}
    assert said["cell"] == max(means, key=lambda rung: means[rung])
    assert f"best of {len(means)} finished cells" in said["text"]
    trial = record_of(ladder, "llrd", 2).trial_id
    for name in ("llrd", "ladder/llrd", trial[:8]):
        assert json.loads(ask("export-recipe", name, "--json")[1])["cell"] == "llrd"
    code, out = ask("export-recipe", "ladr")
    assert (code, "did you mean ladder?" in out) == (2, True)
