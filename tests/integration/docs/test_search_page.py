"""Each search command of docs/search.md has a valid plan."""

import re
import shlex
from pathlib import Path

import pytest
from support.cli import ROOT, plan

TEXT = (ROOT / "docs" / "search.md").read_text()
LINES = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)).replace("\\\n", " ")
COMMANDS = [line for line in LINES.splitlines() if line.startswith("python sweep.py")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_search_command_of_the_page_has_a_plan(command: str, tmp_path: Path) -> None:
    done = plan(*shlex.split(command, comments=True)[2:], "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "nothing was started" in done.out
