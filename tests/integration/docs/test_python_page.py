"""The Python of docs/python.md runs in order over old records, and prints what the page shows."""

import contextlib
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.cli import ROOT
from support.doc_pages import blocks

PAGE = ROOT / "docs" / "python.md"
RECORDS = ROOT / "tests" / "data" / "runs_before_layout" / "records"


def test_the_code_of_the_page_prints_its_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(RECORDS, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    listed = list(blocks(PAGE))
    languages = [block.language for block in listed]
    assert languages == ["python", "text"] * 7
    for code, output in zip(listed[::2], listed[1::2], strict=True):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(code.text, str(PAGE), "exec"), names)
        assert said.getvalue().endswith(output.text)
