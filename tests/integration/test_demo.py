"""`make demo`, once, as a newcomer runs it; what it leaves is looked at from all sides."""

import csv
import subprocess
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient
from support.cli import ROOT

from clip_hparam.records.record import Record, trial_ids

RUNGS = (
    *("baseline", "lower_lr", "ema", "llrd"),
    *("fewer_epochs", "weak_aug", "higher_resolution"),
)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the demo and return the folder with its runs and results."""
    folder: Path = tmp_path_factory.mktemp("demo")
    places = (f"RUNS={folder / 'runs'}", f"RESULTS={folder / 'results'}")
    command = ["make", "demo", *places]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "**The fine-tuning ladder**" in done.stdout
    return folder


@pytest.fixture(scope="session")
def rows(demo: Path) -> list[dict[str, str]]:
    with (demo / "results" / "ladder.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_rung_has_five_seeds_and_an_interval(rows: list[dict[str, str]]) -> None:
    assert tuple(row["rung"] for row in rows) == RUNGS
    for row in rows:
        assert int(row["n"]) == 5
        assert float(row["ci_low"]) < float(row["test_acc1"]) < float(row["ci_high"])
        assert float(row["seconds"]) > 0


def test_all_35_trials_are_done_and_whole(demo: Path) -> None:
    records = [Record(demo / "runs", name) for name in trial_ids(demo / "runs")]
    assert len(records) == 35
    assert all(record.result() and not record.corrupted_files() for record in records)


def test_the_miniature_moves_as_the_paper_does(rows: list[dict[str, str]]) -> None:
    agreeing = [row["rung"] for row in rows if row["sign_agrees"] == "True"]
    assert "lower_lr" in agreeing
    assert len(agreeing) >= 3, agreeing  # the README's four, less a step that is near zero


def test_half_the_epochs_take_half_the_steps_and_a_higher_resolution_none_more(demo: Path) -> None:
    """Count steps, since seconds also depend on what else the machine does."""
    steps: dict[tuple[int, int], set[int]] = {}
    for name in trial_ids(demo / "runs"):
        record = Record(demo / "runs", name)
        recipe = (record.recipe() or {})["recipe"]
        rung = (recipe["epochs"], recipe["resolution"])
        steps.setdefault(rung, set()).add(record.rows()[-1]["step"])
    (fewer,) = steps[10, 32]
    assert steps == {(20, 32): {2 * fewer}, (10, 32): {fewer}, (10, 48): {fewer}}


def test_table_and_figure_are_there_in_every_form(demo: Path) -> None:
    results = demo / "results"
    assert "\\toprule" in (results / "ladder.tex").read_text()
    assert (results / "ladder.png").read_bytes().startswith(b"\x89PNG")
    assert (results / "ladder.pdf").read_bytes().startswith(b"%PDF")


def test_the_ladder_page_shows_the_table_that_the_demo_makes(demo: Path) -> None:
    page = (ROOT / "docs" / "ladder.md").read_text()
    head, rule, *_ = (
        line for line in (demo / "results" / "ladder.md").read_text().splitlines() if "|" in line
    )
    squeezed = [" ".join(line.split()) for line in page.splitlines()]
    assert " ".join(head.split()) in squeezed, f"{head}\n{rule}"


def test_the_notebook_runs_on_the_runs_of_the_demo(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_HPARAM_RUNS", str(demo / "runs"))
    notebook = jupytext.read(ROOT / "analysis" / "notebooks" / "ladder.ipynb")
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    assert sum(bool(cell.get("outputs")) for cell in notebook.cells) >= 3
