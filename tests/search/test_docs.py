"""Every search that docs/search.md types is one: its plan is made, in this process."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from commands import ROOT

from clip_hparam.app import main

TEXT = (ROOT / "docs" / "search.md").read_text()
LINES = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)).replace("\\\n", " ")
COMMANDS = [line for line in LINES.splitlines() if line.startswith("python sweep.py")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_search_of_the_page_has_a_plan(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    words = shlex.split(command, comments=True)[2:]
    monkeypatch.setattr(sys, "argv", ["sweep.py", *words, "dry_run=true"])
    assert main() == 0
    assert "nothing was started" in capsys.readouterr().out
