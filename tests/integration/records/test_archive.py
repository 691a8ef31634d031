"""`clip-hparam pack`: all readers read an archive like the folders of its trials."""

import io
import json
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.trial_factory import Ladder, ladder_cells

from clip_hparam.analysis.evidence.images.correct_bits import read_correct
from clip_hparam.cli import main
from clip_hparam.records import archive_writer
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.lock import lock_folder
from clip_hparam.records.record import Record, trial_ids

VERBS = (("status",), ("why", "ladder/llrd"), ("compare", "lower_lr", "ema"), ("retry",))


@pytest.fixture(autouse=True)
def _in_its_folder(ladder: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Return a ladder in which one trial never ran and one failed."""
    monkeypatch.chdir(tmp_path)
    path = Path("runs/.sweeps") / f"{sweep()['sweep_id']}.json"
    write_json(path, {**sweep(), "command": ["sweep.py", "-m", "sweeps=ladder"]})
    failed = trial_of("llrd", 3)
    (failed.folder / "result.json").unlink()
    failed.write_failure("failed", "error", "ValueError: no")


def sweep() -> dict[str, Any]:
    (path,) = Path("runs/.sweeps").glob("*.json")
    return read_json(path) or {}


def trial_of(rung: str, seed: int) -> Record:
    (cell,) = (cell for cell in sweep()["cells"] if cell["label"] == rung)
    return Record("runs", cell["trials"][str(seed)])


def ask(*words: str) -> tuple[int, str]:
    """Run `clip-hparam` and return its exit code and stdout."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.setattr("sys.argv", ["clip-hparam", *words])
        return main.main(), said.getvalue()


def pack() -> Path:
    code, out = ask("pack", "ladder", "--json")
    assert code == 0
    return Path(json.loads(out)["pack"])


def folders() -> list[str]:
    return sorted(path.name for path in Path("runs").iterdir() if not path.name.startswith("."))


def test_every_reader_reads_an_archived_trial_like_a_folder(ladder: Ladder) -> None:
    before = ladder.runs.frames()
    ids = list(trial_ids("runs"))
    bits = read_correct("runs/" + ids[0], "raw")
    said = [ask(*words, "--json") for words in VERBS]
    code, out = ask("pack", "--json")
    assert (code, json.loads(out)["packed"], json.loads(out)["left"]) == (0, 33, 2)
    assert folders() == [trial_of("llrd", 3).trial_id]
    after = ladder.runs.frames()
    pd.testing.assert_frame_equal(after.trials, before.trials)
    pd.testing.assert_frame_equal(after.epochs, before.epochs)
    assert after.problems == []
    assert list(trial_ids("runs")) == ids
    assert (read_correct("runs/" + ids[0], "raw") == bits).all()
    assert [ask(*words, "--json") for words in VERBS] == said
    assert all(trial_of("ema", seed).is_done() for seed in range(4))
    assert ask("verify") == (0, "33 trials unchanged since sealed, 0 damaged\n")


def test_archive_takes_in_trials_that_are_done_later(ladder: Ladder) -> None:
    path = pack()
    late = ladder.runs.done(ladder_cells()["ema"], 4, 97.0)
    assert late.trial_id == trial_of("ema", 4).trial_id
    assert pack() == path
    assert late.is_done()
    assert not late.folder.exists()
    assert trial_of("ema", 3).is_done()


def test_archiving_continues_after_a_kill_without_loss(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ladder.runs.frames()
    remove, victim = archive_writer._remove_folder, trial_of("weak_aug", 0)

    def killed(folder: Path) -> None:
        if folder == victim.folder:
            (folder / "recipe.json").unlink()
            raise KeyboardInterrupt
        remove(folder)

    with monkeypatch.context() as patch:
        patch.setattr(archive_writer, "_remove_folder", killed)
        assert ask("pack")[0] == 130
    pd.testing.assert_frame_equal(ladder.runs.frames().trials, before.trials)
    pack()
    assert not victim.folder.exists()
    pd.testing.assert_frame_equal(ladder.runs.frames().trials, before.trials)


def test_damaged_archive_is_reported_and_its_trials_are_not_done(ladder: Ladder) -> None:
    path, victim = pack(), trial_of("llrd", 0)
    content = bytearray(path.read_bytes())
    member = zipfile.ZipFile(path).getinfo(f"{victim.trial_id}/result.json")
    content[member.header_offset + 60 + len(member.filename)] ^= 1
    path.with_suffix(".new").write_bytes(content)
    path.with_suffix(".new").replace(path)
    assert not victim.is_done()
    assert trial_of("llrd", 1).is_done()
    code, out = ask("verify", "--json")
    assert code == 3
    assert json.loads(out)["damaged"] == {victim.trial_id: ["result.json"]}
    assert json.loads(out)["packs"] == [str(path)]
    assert victim.quarantine("result.json").exists()
    path.with_suffix(".new").write_bytes(content[: len(content) // 2])
    path.with_suffix(".new").replace(path)
    assert not trial_of("llrd", 1).is_done()
    assert json.loads(ask("verify", "--json")[1])["packs"] == [str(path)]


def test_folder_of_a_rerun_trial_wins_over_the_archive(ladder: Ladder) -> None:
    pack()
    again = trial_of("llrd", 0)
    again.write_recipe((again.recipe() or {})["recipe"], "again")
    assert again.result() is None
    again.write_result({"metrics": {"test_acc1.raw.selected": 12.0}})
    assert (again.result() or {})["metrics"] == {"test_acc1.raw.selected": 12.0}
    pack()
    assert (again.result() or {})["metrics"] == {"test_acc1.raw.selected": 12.0}
    assert not again.folder.exists()


def test_running_sweep_is_not_archived(ladder: Ladder, capsys: pytest.CaptureFixture[str]) -> None:
    with lock_folder(Path("runs/.sweeps"), f"{sweep()['sweep_id']}.lock"):
        assert ask("pack", "ladder")[0] == 2
    assert capsys.readouterr().err == "ladder is running: pack it once it has ended\n"
    assert len(folders()) == 34
