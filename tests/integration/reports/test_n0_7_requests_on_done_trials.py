"""The command of a done trial prints missing requested outputs, and a replay adds them.

Before, "is done already" was the answer to keep_checkpoints=best and to eval_test=epoch, and took
four seconds, since torch was imported for it.
"""

import io
import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file
from support.cli import SHORT, python, records, sweep

from clip_hparam.cli.hydra_app import app
from clip_hparam.records.record import Record

TRIAL = (*SHORT, "lr=2e-3", "data.shots=3")
ASKED = ("keep_checkpoints=best", "eval_test=epoch")
WITHOUT_TORCH = f"""
import sys
sys.path[:0] = {[str(Path(app.__file__).parents[3])]!r}
from clip_hparam.cli.hydra_app.app import main
assert main() == 0
assert "torch" not in sys.modules and "pandas" not in sys.modules
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    done = sweep(*TRIAL, cwd=folder)
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def done_trial(trained: Path, tmp_path: Path) -> tuple[Path, Record]:
    shutil.copytree(trained / "runs", tmp_path / "runs")
    (record,) = records(tmp_path)
    return tmp_path, record


def offered(out: str) -> list[str]:
    """Return the overrides of the command that is offered."""
    (line,) = (line for line in out.splitlines() if line.startswith("not in "))
    return shlex.split(line.rpartition("python sweep.py ")[2])


def test_missing_outputs_of_a_done_trial_are_added_by_the_offered_command(
    done_trial: tuple[Path, Record],
) -> None:
    folder, record = done_trial
    before, rows = record.result(), record.rows()
    assert before is not None
    asked = sweep(*TRIAL, *ASKED, cwd=folder)
    assert asked.code == 0, asked.err
    assert "best.safetensors (keep_checkpoints=best)" in asked.out
    assert "the test metrics of each epoch (eval_test=epoch)" in asked.out
    assert not (record.folder / "best.safetensors").exists()
    replayed = sweep(*offered(asked.out), cwd=folder)
    assert replayed.code == 0, replayed.err
    assert load_file(record.folder / "best.safetensors")
    after = record.verified_result()
    assert after is not None
    assert before["metrics"].items() <= after["metrics"].items()
    assert {name: after[name] for name in before if name not in ("metrics", "sha256")} == {
        name: before[name] for name in before if name not in ("metrics", "sha256")
    }
    assert rows[0].items() <= record.rows()[0].items()
    at_last = before["metrics"]["test_acc1.ema.last"]
    assert record.rows()[-1]["test_acc1.ema"] == after["metrics"]["test_acc1.ema.best"] == at_last
    assert not (record.folder / ".replay").exists()
    again = sweep(*TRIAL, *ASKED, cwd=folder)
    assert "not in its folder" not in again.out
    assert again.out.startswith(f"trial {record.trial_id} is done already")


@pytest.mark.parametrize("file", ["result.json", "metrics.jsonl"])
def test_a_replay_with_other_numbers_adds_nothing(
    file: str, done_trial: tuple[Path, Record]
) -> None:
    folder, record = done_trial
    result = record.result() or {}
    if file == "result.json":
        record.write_result({**result, "metrics": {**result["metrics"], "test_acc1.raw.last": 1.0}})
    else:
        record.write_rows([{**row, "train_loss": 1.0} for row in record.rows()])
        record.write_result(result)
    sealed = {path.name: path.read_bytes() for path in record.folder.glob("*.*")}
    done = sweep(*TRIAL, *ASKED, "replay=true", cwd=folder)
    assert done.code == 1
    assert "the replay adds nothing, it gives other numbers than the record" in done.out
    kept = {path.name: path.read_bytes() for path in record.folder.glob("*.*")}
    assert {name: kept[name] for name in sealed if name != "log.txt"} == {
        name: content for name, content in sealed.items() if name != "log.txt"
    }
    assert not list(record.folder.glob("*.safetensors"))


def test_a_replay_adds_evaluation_sets_one_after_the_other(
    done_trial: tuple[Path, Record],
) -> None:
    folder, record = done_trial
    before = (record.result() or {})["metrics"]
    images = folder / "mine" / "7"
    images.mkdir(parents=True)
    Image.new("L", (8, 8), 128).save(images / "seven.png")
    for word, name in (("glyphs", "glyphs"), ("mine:mine", "mine")):
        asked = sweep(*TRIAL, f"eval_sets=[{word}]", cwd=folder)
        assert f"not in its folder: eval.{name} (eval_sets)" in asked.out
        replayed = sweep(*offered(asked.out), cwd=folder)
        assert replayed.code == 0, replayed.err
    result = record.verified_result() or {}
    assert set(result["eval_sets"]) == {"glyphs", "mine"}
    assert before.items() <= result["metrics"].items()
    added = {f"eval.{name}.acc1.ema.selected" for name in ("glyphs", "mine")}
    assert {*added, "eval.glyphs.acc1.zero_shot"} <= result["metrics"].keys()
    assert record.status()["eval_sets"] == ["glyphs", f"mine:{folder / 'mine'}"]
    with np.load(io.BytesIO(record.read("predictions.npz") or b"")) as arrays:
        sets = {name.removesuffix(".predicted") for name in arrays if name.endswith(".predicted")}
        assert sets == {"test", "eval.glyphs", "eval.mine"}
        assert len(arrays["eval.glyphs.predicted"]) == result["eval_sets"]["glyphs"]["images"]
    again = sweep(*TRIAL, "eval_sets=[glyphs,mine:mine]", cwd=folder)
    assert "not in its folder" not in again.out


def test_a_sweep_prints_outputs_that_done_trials_lack_and_replays_them(
    done_trial: tuple[Path, Record],
) -> None:
    folder, record = done_trial
    words = ("-m", *SHORT, "lr=2e-3", "data.shots=3", "hydra/launcher=inline")
    asked = sweep(*words, "keep_checkpoints=last", cwd=folder)
    assert asked.code == 0, asked.err
    assert "1 of 1 done trial: last.safetensors" in asked.out
    done = sweep(*offered(asked.out), cwd=folder)
    assert done.code == 0, done.err
    assert load_file(record.folder / "last.safetensors")
    assert record.is_done()


def test_replays_where_none_is_possible_are_refused(done_trial: tuple[Path, Record]) -> None:
    folder, _ = done_trial
    slurm = ("-m", "lr=1,2", "hydra/launcher=submitit_slurm", "replay=true")
    assert "replay=true runs on this computer" in sweep(*slurm, cwd=folder).err
    search = ("-m", "sweeps=search", "replay=true", "dry_run=true")
    assert "replay=true is for trials and designs" in sweep(*search, cwd=folder).err


def test_done_already_imports_no_torch(done_trial: tuple[Path, Record]) -> None:
    folder, record = done_trial
    (folder / "ask.py").write_text(WITHOUT_TORCH)
    done = python(folder / "ask.py", *TRIAL, *ASKED, cwd=folder)
    assert done.code == 0, done.err
    assert done.out.startswith(f"trial {record.trial_id} is done already")
    assert json.loads((record.folder / "status.json").read_text())["state"] == "done"
