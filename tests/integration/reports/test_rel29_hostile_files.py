"""Hostile files execute nothing, and one sentence refuses them."""

import hashlib
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.cli import SHORT, Done, clip_hparam, plan, records, sweep
from support.trial_factory import Ladder
from support.weight_files import whole_clip
from torch import Tensor, nn

from clip_hparam.records.archive import open_archives
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.record import Record
from clip_hparam.training.checkpoints import checkpoint


class Bomb:
    """Object whose unpickling creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


class Archive(nn.Module):
    """TorchScript module whose loading maps a file into memory, and so creates it."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self.mark, self.weight = mark, nn.Parameter(torch.zeros(4))

    @torch.jit.export
    def __getstate__(self) -> tuple[str, Tensor, bool]:
        return self.mark, self.weight, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, Tensor, bool]) -> None:
        self.mark, self.weight, self.training = state
        torch.from_file(self.mark, True, 4)


WRITERS: dict[str, Callable[[Path, Path], Any]] = {
    "zip": lambda path, mark: torch.save({**whole_clip(), "x": Bomb(mark)}, path),
    "legacy": lambda path, mark: torch.save(
        {"model": whole_clip(), "x": Bomb(mark)}, path, _use_new_zipfile_serialization=False
    ),
    "pickle": lambda path, mark: path.write_bytes(pickle.dumps({"model": Bomb(mark)})),
    "script": lambda path, mark: torch.jit.script(Archive(str(mark))).save(str(path)),
}


@pytest.mark.filterwarnings("ignore:.torch.jit.(script|save):FutureWarning")
@pytest.mark.parametrize("kind", WRITERS)
def test_weight_file_with_code_is_refused(kind: str, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    WRITERS[kind](tmp_path / "file.pt", mark)
    done = plan(f"encoder.pretrained={tmp_path}/file.pt", cwd=tmp_path)
    assert_refused(done, "file.pt does not read as weights", mark)


def write_checkpoint(folder: Path, kind: str, mark: Path) -> Path:
    """Write a checkpoint with code and the right sha256 beside it."""
    folder.mkdir(parents=True)
    file = folder / "step_000000002.pt"
    WRITERS[kind](file, mark)
    file.with_name(f"{file.name}.sha256").write_text(hashlib.sha256(file.read_bytes()).hexdigest())
    return file


def test_trial_does_not_resume_from_a_checkpoint_with_code(tmp_path: Path) -> None:
    assert sweep(*SHORT, "lr=2e-3", cwd=tmp_path).code == 0
    (record,) = records(tmp_path)
    (record.folder / "result.json").unlink()
    mark = tmp_path / "executed"
    write_checkpoint(record.checkpoint_folder, "pickle", mark)
    done = sweep(*SHORT, "lr=2e-3", cwd=tmp_path)
    assert done.code == 0
    assert "checkpoint step_000000002.pt is damaged: going back to the one before" in done.out
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["zip", "legacy", "pickle"])
def test_checkpoint_with_code_is_not_loaded(kind: str, tmp_path: Path) -> None:
    folder, mark = tmp_path / "checkpoint", tmp_path / "executed"
    file = write_checkpoint(folder, kind, mark)
    state, damaged = checkpoint.load(folder)
    assert state is None
    assert damaged == [f"checkpoint {file.name} is damaged: going back to the one before"]
    assert not mark.exists()


TOUCH = "{_target_: pathlib.Path.touch, _args_: [{_target_: pathlib.Path, _args_: [MARK]}]}"
POPEN = "{class: subprocess.Popen, args: [touch, MARK]}"
DESIGN = "# @package hydra.sweeper.design\nname: mine\nkind: grid\nknobs: {lr: [1e-3]}\n"
FILES = {
    "tag in a design": ("sweeps", f'{DESIGN}seeds: !!python/object/apply:os.system ["touch MARK"]'),
    "tag in a recipe": (
        "recipe",
        '# @package _global_\nlr: !!python/object/apply:os.system ["touch MARK"]',
    ),
    "tag in a data set": (
        "data",
        "# @package _global_\ndata: {root: !!python/name:os.system }",
    ),
    "design": ("sweeps", f"{DESIGN}base: [{TOUCH}]"),
    "sweeper": ("sweeps", f"# @package hydra\nsweeper: {TOUCH}"),
    "callback": ("recipe", f"# @package hydra.callbacks\nmine: {TOUCH}"),
    "launcher": ("recipe", f"# @package hydra\nlauncher: {TOUCH}"),
    "encoder": ("recipe", f"# @package _global_\nencoder: {{name: {TOUCH}}}"),
    "data": ("data", f"# @package _global_\ndata: {TOUCH}"),
    "log handler": (
        "recipe",
        f"# @package hydra.job_logging\nversion: 1\nhandlers: {{h: {POPEN}}}",
    ),
    "log factory": (
        "recipe",
        "# @package hydra\njob_logging: {version: 1, formatters: {f: {(): os.system, command: X}}}",
    ),
}


@pytest.mark.parametrize("multirun", [[], ["-m"]], ids=["single", "sweep"])
@pytest.mark.parametrize("case", FILES)
def test_config_file_with_code_is_refused(case: str, multirun: list[str], tmp_path: Path) -> None:
    group, text = FILES[case]
    mark = tmp_path / "executed"
    (tmp_path / group).mkdir()
    (tmp_path / group / "mine.yaml").write_text(text.replace("MARK", str(mark)))
    done = plan(f"--config-dir={tmp_path}", *multirun, f"{group}=mine", *SHORT, cwd=tmp_path)
    assert_refused(done, f"{group}/mine", mark)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("value", ["&a [*a]", "&a {b: *a}", "[" * 2000 + "]" * 2000])
def test_value_that_never_ends_is_refused(value: str, tmp_path: Path) -> None:
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe" / "mine.yaml").write_text(f"# @package _global_\nlr: {value}\n")
    done = plan(f"--config-dir={tmp_path}", "recipe=mine", *SHORT, cwd=tmp_path)
    assert_refused(done, "recipe/mine nests values too deeply", tmp_path / "executed")


def assert_refused(done: Done, beginning: str, mark: Path) -> None:
    assert done.code == 2
    assert done.err.startswith(beginning), done.err
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.out + done.err
    assert not mark.exists()


def test_manifest_with_a_path_for_an_id_is_not_used(ladder: Ladder, tmp_path: Path) -> None:
    runs = ladder.runs.folder
    (path,) = (runs / ".sweeps").glob("*.json")
    manifest = json.loads(path.read_text())
    victim = runs.parent / "victim"
    (runs / ladder.runs.frames().trials["trial_id"][0]).rename(victim)
    before = sorted(victim.iterdir())
    for name in ("../victim", str(victim), "a/../../victim", ".."):
        manifest["cells"][0]["trials"] = {"0": name}
        path.write_text(json.dumps(manifest))
        assert read_manifests(runs) == []
        done = clip_hparam("pack", "--runs", runs, cwd=tmp_path)
        assert done.code == 2
        assert done.err.count("\n") == 1
        assert sorted(victim.iterdir()) == before
        with pytest.raises(ValueError, match="not a name in the runs folder"):
            Record(runs, name)


def test_archive_with_paths_for_ids_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".packs").mkdir()
    with zipfile.ZipFile(tmp_path / ".packs" / "a.zip", "w") as archive:
        for member in ("../x/result.json", "/etc/result.json", "good/result.json", "a/b/c.json"):
            archive.writestr(member, "{}")
    assert set(open_archives(tmp_path)) == {"good"}


@pytest.mark.parametrize("multirun", [[], ["-m"]], ids=["single", "sweep"])
@pytest.mark.parametrize(
    "typed",
    [
        "hydra.launcher._target_=os.system",
        "hydra.sweeper._target_=os.system",
        "+hydra.callbacks.mine._target_=os.system",
        "++encoder._target_=os.system",
    ],
)
def test_typed_code_is_refused(typed: str, multirun: list[str], tmp_path: Path) -> None:
    done = plan(*multirun, typed, *SHORT, cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith(f"{typed} names code to run, which no key takes")
    assert done.err.count("\n") == 1
