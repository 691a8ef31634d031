"""The variables on the page are those that the code reads, and each exit code has a meaning."""

import re
from pathlib import Path

from support.cli import ROOT

from clip_hparam.cli.reference_pages.environment_page import INTERNAL, MEANINGS, OTHERS, OURS
from clip_hparam.config.exit_codes import ExitCode

ACCESS = re.compile(r'environ(?:\.get|\.setdefault)?[\[(]\s*"([A-Z][A-Z0-9_]*)"')
CONSTANT = re.compile(r'^\w+_VARIABLE = "([A-Z_]+)"', re.MULTILINE)
NOT_READ = {"MLFLOW_DISABLE_TELEMETRY", "WANDB_ERROR_REPORTING"}  # set for a package


def source_files() -> list[Path]:
    return [*(ROOT / "src" / "clip_hparam").rglob("*.py"), *(ROOT / "analysis").rglob("*.py")]


def test_the_page_has_the_variables_that_the_code_reads() -> None:
    texts = [path.read_text() for path in source_files()]
    read = {name for text in texts for form in (ACCESS, CONSTANT) for name in form.findall(text)}
    ours = {name for name in read if not name.startswith("SLURM_")}
    assert {*OURS, *INTERNAL, *OTHERS} == ours - NOT_READ


def test_each_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)
