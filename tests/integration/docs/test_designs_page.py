"""The files and commands of docs/designs.md work together, and its plan is printed."""

import re
import shlex
from pathlib import Path

import pytest
from support.cli import ROOT, plan
from support.doc_pages import blocks, commands

PAGE = ROOT / "docs" / "designs.md"
YAML = [block.text for block in blocks(PAGE) if block.language == "yaml"]
COMMANDS = [shlex.split(command.text)[2:] for command in commands(PAGE) if not command.is_form]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files of the page."""
    for text in YAML:
        group, name = re.findall(r"^# python sweep\.py .*(sweeps|recipe)=(\w+)$", text, re.M)[0]
        (tmp_path / "mine" / group).mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / group / f"{name}.yaml").write_text(text)
    return tmp_path


def printed(words: list[str], folder: Path) -> str:
    done = plan(*words, cwd=folder, COLUMNS="100")
    assert done.code == 0, done.err
    text = re.sub(r"sweep [0-9a-f]{12}", "sweep ...", done.out)
    return re.sub(r"on \d+ workers?", "on 2 workers", text)


def test_each_command_plans_or_prints(folder: Path) -> None:
    assert len(COMMANDS) == 5
    shown = [block.text for block in blocks(PAGE) if block.text.startswith("plan of")]
    outputs = [printed(words, folder) for words in COMMANDS]
    assert outputs[0].startswith("lr: 0.001\n")
    assert "label_smoothing: 0.05" in outputs[0]
    assert shown == [outputs[2]]
    assert all("nothing was started" in output for output in outputs[1:])
    assert not (folder / "runs").exists()
