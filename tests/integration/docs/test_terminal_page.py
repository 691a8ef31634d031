"""The outputs in docs/terminal.md are those that the commands print."""

import re
import shlex

import pytest
from support.cli import ROOT, clip_hparam

PAGE = (ROOT / "docs" / "terminal.md").read_text()
BLOCKS = re.findall(r"```console\n\$ clip-hparam (.*)\n((?:.*\n)*?)```", PAGE)


def test_the_page_shows_outputs() -> None:
    assert len(BLOCKS) == 4


@pytest.mark.parametrize(("words", "output"), BLOCKS, ids=[words for words, _ in BLOCKS])
def test_a_command_prints_what_the_page_shows(
    words: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = clip_hparam(*shlex.split(words), cwd=ROOT)
    assert (done.code, done.err) == (0, "")
    assert done.out == output
