"""docs/tutorial.md and docs/start.md from their first command to the last, with short trials."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import ROOT, SHORT, clip_hparam, sweep
from support.doc_pages import Command, blocks, commands
from support.in_process import Done

INSTALL = ("git clone", "make ", "source ", "python make_shapes.py")
FEW_SEEDS = "seeds=2"


def run(command: Command, folder: Path) -> Done:
    """Run a command of a page; a trial has two optimizer steps, a sweep two seeds."""
    words = command.words
    if words[:2] != ["python", "sweep.py"]:
        return clip_hparam(*words[1:], cwd=folder)
    kept = [word for word in words[2:] if not word.startswith(("epochs=", "seeds="))]
    seeds = [FEW_SEEDS] if "-m" in words else []
    return sweep(*kept, *SHORT, *seeds, cwd=folder)


def typed(page: Path) -> list[Command]:
    listed = [command for command in commands(page) if not command.is_form]
    return [command for command in listed if not command.text.startswith(INSTALL)]


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """Return a folder with the images and the design of the tutorial."""
    page = list(blocks(ROOT / "docs" / "tutorial.md"))
    (snippet,) = (block.text for block in page if block.language == "python")
    subprocess.run([sys.executable, "-c", snippet], cwd=tmp_path, check=True)
    (design,) = (block.text for block in page if block.language == "yaml")
    (name,) = re.findall(r"^name: (\w+)", design, re.MULTILINE)
    (tmp_path / "mine" / "sweeps").mkdir(parents=True)
    (tmp_path / "mine" / "sweeps" / f"{name}.yaml").write_text(design)
    return tmp_path


def test_the_tutorial_runs_to_its_table_and_figure(prepared: Path) -> None:
    listed = typed(ROOT / "docs" / "tutorial.md")
    done = {command.text: run(command, prepared) for command in listed}
    assert {text: one.err for text, one in done.items() if one.code} == {}
    results = prepared / "results"
    for suffix in ("md", "tex", "csv", "png"):
        assert (results / f"ema_on_shapes.{suffix}").is_file()
    assert "ema\\_decay=auto" in (results / "ema_on_shapes.md").read_text()
    assert len(listed) == 9


def test_the_five_minutes_run_to_the_report(tmp_path: Path) -> None:
    listed = typed(ROOT / "docs" / "start.md")
    done = {command.text: run(command, tmp_path) for command in listed}
    assert {text: one.err for text, one in done.items() if one.code} == {}
    for name in ("lr.md", "lr.png", "report.html"):
        assert (tmp_path / "results" / name).is_file()
    assert len(listed) == 5
