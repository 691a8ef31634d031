"""The output on docs/sweeps.md is what its commands print.

To write the current output into the page:

    PYTHONPATH=tests python tests/integration/docs/test_sweeps_page.py
"""

import re
import shlex
from pathlib import Path

import pytest
from support.cli import ROOT, plan

PAGE = ROOT / "docs" / "sweeps.md"
BLOCK = re.compile(
    r"```sh\n(python sweep\.py [^\n]*)\n```\n(?:\n```text\n(.*?)\n```\n)?", re.DOTALL
)
SHOWN: dict[str, str] = dict(BLOCK.findall(PAGE.read_text()))
KINDS = set(
    re.findall(
        r"^kind: (\w+)",
        "\n".join(p.read_text() for p in (ROOT / "sweeps").glob("*.yaml")),
        re.MULTILINE,
    )
)


def printed(command: str, folder: Path) -> str:
    """Return the output of a dry run, with sweep ids and core counts replaced."""
    done = plan(*shlex.split(command)[2:], cwd=folder, COLUMNS="100")
    assert done.code == 0, done.err
    text = re.sub(r"sweep [0-9a-f]{12}", "sweep ...", done.out)
    text = re.sub(r"on \d+ workers?", "on 2 workers", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("command", SHOWN)
def test_the_page_shows_the_output_of_each_command(command: str, tmp_path: Path) -> None:
    assert "dry_run=true" in command
    assert printed(command, tmp_path) == SHOWN[command], (
        f"PYTHONPATH=tests python {Path(__file__).relative_to(ROOT)} updates it"
    )
    assert list(tmp_path.iterdir()) == []


def test_every_kind_of_design_in_sweeps_is_on_the_page() -> None:
    assert {f"`{kind}`" for kind in KINDS} <= set(re.findall(r"`\w+`", PAGE.read_text()))


def rewrite(folder: Path) -> None:
    def block(match: re.Match[str]) -> str:
        return f"```sh\n{match[1]}\n```\n\n```text\n{printed(match[1], folder)}\n```\n"

    PAGE.write_text(BLOCK.sub(block, PAGE.read_text()))


if __name__ == "__main__":
    rewrite(Path(__file__).parent)
