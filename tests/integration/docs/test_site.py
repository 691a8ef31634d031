"""The site builds strictly, needs no network, and has the pages of files outside docs/."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import ROOT

OF_THE_PAGE = re.compile(r'<(?:script|img|iframe|link)\b[^>]*?(?:src|href)="?(https?://[^" >]*)')
IN_STYLES = re.compile(r"url\(['\"]?https?://")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"make docs installs what the site needs: {done.stderr}"
    return folder


def test_the_site_has_every_page(site: Path) -> None:
    names = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"README"}
    assert names <= {path.stem for path in site.glob("*.html")}
    assert (site / "index.html").is_file()
    assert "sweeps=ladder" in (site / "project/sweeps/ladder.yaml.html").read_text()


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert OF_THE_PAGE.findall(path.read_text()) == [], path
    for path in site.rglob("*.css"):
        assert not IN_STYLES.search(path.read_text()), path


def test_a_link_between_pages_is_relative(site: Path) -> None:
    assert 'href="start.html"' in (site / "index.html").read_text()
    contributing = (site / "project" / "CONTRIBUTING.html").read_text()
    assert 'href="../records.html' in contributing
