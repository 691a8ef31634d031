"""The tables of docs/paper.md are computed from the recipes; its commands are planned.

To write the current tables into the page:

    PYTHONPATH=tests python tests/integration/docs/test_paper_page.py
"""

import re
import shlex
from pathlib import Path

import pytest
from support import image_folders
from support.cli import ROOT, plan
from support.published_recipe import published_recipe

from clip_hparam.analysis.evidence.published import PAPER_LADDER
from clip_hparam.planning.estimates.throughput import DEVICES, gpu_seconds

PAGE = ROOT / "docs" / "paper.md"
SHOWN_DEVICES = ("V100", "A100", "H100")
BLOCK = re.compile(r"(<!-- cost of family=(\w+) -->\n).*?(\n<!-- end -->)", re.DOTALL)
COMMANDS = re.findall(r"^python sweep\.py .*$", PAGE.read_text(), re.MULTILINE)


def cost_table(family: str) -> str:
    head = ("rung", *(f"{name}, predicted" for name in SHOWN_DEVICES))
    paper = {row.key: row for row in PAPER_LADDER} if family == "b16" else {}
    if paper:
        head = ("rung", "paper, %", "paper, V100", *head[1:])
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    for row in PAPER_LADDER:
        recipe = published_recipe(f"family={family}", f"recipe={row.key}", "data=imagenet")
        hours = [gpu_seconds(recipe, DEVICES[name]) / 3600 for name in SHOWN_DEVICES]
        published = [f"{row.acc1}", f"{row.v100_hours}"] if paper else []
        lines.append(" | ".join([row.key, *published, *(f"{value:.0f}" for value in hours)]))
    return "\n".join(f"| {line} |" for line in lines)


@pytest.mark.parametrize(("_", "family", "__"), BLOCK.findall(PAGE.read_text()))
def test_costs_on_the_page_are_those_of_the_recipes(_: str, family: str, __: str) -> None:
    assert f"-->\n{cost_table(family)}\n<!--" in PAGE.read_text(), (
        f"PYTHONPATH=tests python {Path(__file__).relative_to(ROOT)} updates it"
    )


def test_both_real_families_have_a_table() -> None:
    assert [family for _, family, _ in BLOCK.findall(PAGE.read_text())] == ["b16", "l14"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_can_be_planned(command: str, tmp_path: Path) -> None:
    of_subset = "data.subset=imagenet100" in command
    make = image_folders.imagenet100 if of_subset else image_folders.imagenet
    root = make(tmp_path / "imagenet")
    words = shlex.split(command.replace("/data/imagenet", str(root)))[2:]
    planned = [word for word in words if not word.startswith(("machine=", "budget=", "dry_run="))]
    if "-m" not in words:
        planned = ["-m", *planned]
    done = plan(*planned, "encoder.pretrained=random", "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert ("100 classes" in done.err) == of_subset
    if any(word.startswith("family=") for word in words):
        assert "images at once fit an A100 of 40 GB" in done.out
        assert "do not fit" not in done.out


def rewrite() -> None:
    text = PAGE.read_text()
    PAGE.write_text(BLOCK.sub(lambda m: f"{m[1]}{cost_table(m[2])}{m[3]}", text))


if __name__ == "__main__":
    rewrite()
