"""Trials of other code are marked in tables; trials of other data are other trials."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image
from support.cli import ROOT, SHORT, Done, clip_hparam, records, sweep, sweep_process

GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@localhost")


def copy_code(folder: Path) -> Path:
    """Copy the package into a git repository, for a PYTHONPATH before the installed package."""
    package = folder / "code" / "src" / "clip_hparam"
    shutil.copytree(ROOT / "src", folder / "code" / "src")
    shutil.copytree(ROOT / "conf", package / "conf")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "one")):
        subprocess.run([*GIT, *words], cwd=folder / "code", check=True)
    return package


def sweep_with(code: Path, *words: str, cwd: Path) -> Done:
    return sweep_process(*words, cwd=cwd, PYTHONPATH=str(code.parent))


def test_trials_of_other_code_are_marked(tmp_path: Path) -> None:
    code = copy_code(tmp_path)
    words = ("-m", "lr=1e-3,2e-3,3e-3", "seeds=1", *SHORT)
    first = sweep_with(code, *words[:1], "lr=1e-3", *words[2:], cwd=tmp_path)
    assert (first.code, first.err) == (0, "")
    with (code / "training" / "engine.py").open("a") as file:
        file.write("EDITED = True\n")
    second = sweep_with(code, *words, cwd=tmp_path)
    assert second.code == 0
    assert "1 of 1 trial on record ran with other code than this" in second.err
    assert clip_hparam("tables", "lr", cwd=tmp_path).code == 0
    table = (tmp_path / "results" / "lr.md").read_text()
    assert "code not as in most runs of this table" in table
    assert "with uncommitted changes" in table


def write_image(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(256, size=(32, 32, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_other_data_is_another_trial(tmp_path: Path) -> None:
    for seed in range(24):
        write_image(tmp_path / "images" / f"class_{seed % 2}" / f"{seed}.png", seed)
    words = (
        "-m",
        "data=folder",
        "data.root=images",
        "data.shots=3",
        "data.selection=2",
        "epochs=1",
    )
    words = (*words, "data.epoch_images=4", "batch_size=2", "lr=1e-3")
    assert sweep(*words, cwd=tmp_path).code == 0
    (before,) = records(tmp_path)
    sealed = (before.folder / "result.json").read_bytes()
    write_image(tmp_path / "images" / "class_0" / "new.png", 99)
    done = sweep(*words, cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(records(tmp_path)) == 2
    assert (before.folder / "result.json").read_bytes() == sealed
