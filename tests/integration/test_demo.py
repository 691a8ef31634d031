"""`make demo`, once, as a newcomer runs it but with two seeds: records, table, figure, report.

The parts that hold for any seeds are tested: ids, pairing, and that tables equal the records. The
accuracies and their signs are in docs/evidence_sets.md, which `make evidence` writes.
"""

import csv
from pathlib import Path
from statistics import mean

import jupytext
import pytest
from nbclient import NotebookClient
from support.cli import ROOT
from support.planned import planned_sweep

from clip_hparam import analysis
from clip_hparam.analysis.evidence.seed_sets import evidence_of_sets
from clip_hparam.analysis.figures.ladder import ladder_panels
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.report.report import render_html, report_page
from clip_hparam.analysis.report.seed_sets import page
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.record import Record, trial_ids

RUNGS = (
    *("baseline", "lower_lr", "ema", "llrd"),
    *("fewer_epochs", "weak_aug", "higher_resolution"),
)
SEEDS = (0, 1)


@pytest.fixture(scope="module")
def rows(trained_ladder: Path) -> list[dict[str, str]]:
    with (trained_ladder / "results" / "ladder.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def frames(trained_ladder: Path) -> Frames:
    return analysis.load(trained_ladder / "runs")


def reported(record: Record) -> float:
    """Return the test accuracy at the selected epoch, of the weights that selected it."""
    result = record.result() or {}
    accuracy: float = result["metrics"][f"test_acc1.{result['selected_weights']}.selected"]
    return accuracy


def accuracies(folder: Path) -> dict[str, dict[int, float]]:
    """Return the reported accuracy by rung and seed, read from the records alone."""
    runs = folder / "runs"
    (manifest,) = read_manifests(runs)
    return {
        cell.label: {seed: reported(Record(runs, name)) for seed, name in cell.trials.items()}
        for cell in manifest.cells
    }


def test_all_trials_are_done_and_whole(trained_ladder: Path) -> None:
    runs = trained_ladder / "runs"
    records = [Record(runs, name) for name in trial_ids(runs)]
    assert len(records) == len(RUNGS) * len(SEEDS)
    assert all(record.result() and not record.corrupted_files() for record in records)


def test_trials_have_the_ids_of_the_shipped_design(trained_ladder: Path, tmp_path: Path) -> None:
    planned = planned_sweep("sweeps=ladder", f"seeds={len(SEEDS)}", cwd=tmp_path)
    assert set(planned.specs) == set(trial_ids(trained_ladder / "runs"))
    (manifest,) = read_manifests(trained_ladder / "runs")
    assert manifest.sweep_id == planned.id
    assert tuple(cell.label for cell in manifest.cells) == RUNGS


def test_table_equals_the_records(trained_ladder: Path, rows: list[dict[str, str]]) -> None:
    assert tuple(row["rung"] for row in rows) == RUNGS
    before: dict[int, float] = {}
    for row, values in zip(rows, accuracies(trained_ladder).values(), strict=True):
        assert tuple(values) == SEEDS
        assert int(row["n"]) == len(SEEDS)
        assert float(row["test_acc1"]) == pytest.approx(mean(values.values()))
        if before:
            paired = [values[seed] - before[seed] for seed in SEEDS]
            assert float(row["delta"]) == pytest.approx(mean(paired), abs=1e-9)
        assert float(row["seconds"]) > 0
        before = values


def test_rungs_of_one_seed_are_tested_on_the_same_images(frames: Frames) -> None:
    assert frames.trials["data.fingerprint"].nunique() == 1
    assert frames.trials["images.test"].nunique() == 1


def test_half_the_epochs_take_half_the_steps_and_a_higher_resolution_none_more(
    trained_ladder: Path,
) -> None:
    """Count steps, since seconds also depend on what else the machine does."""
    steps: dict[tuple[int, int], set[int]] = {}
    for name in trial_ids(trained_ladder / "runs"):
        record = Record(trained_ladder / "runs", name)
        recipe = (record.recipe() or {})["recipe"]
        rung = (recipe["epochs"], recipe["resolution"])
        steps.setdefault(rung, set()).add(record.rows()[-1]["step"])
    (fewer,) = steps[10, 32]
    assert steps == {(20, 32): {2 * fewer}, (10, 32): {fewer}, (10, 48): {fewer}}


def test_table_and_figure_are_there_in_every_form(trained_ladder: Path) -> None:
    results = trained_ladder / "results"
    assert "\\toprule" in (results / "ladder.tex").read_text()
    assert (results / "ladder.png").read_bytes().startswith(b"\x89PNG")
    assert (results / "ladder.pdf").read_bytes().startswith(b"%PDF")


def test_bars_of_the_figure_are_the_rows_of_the_table(
    frames: Frames, rows: list[dict[str, str]]
) -> None:
    bars = ladder_panels(frames).ours.bars
    assert [bar.acc1 for bar in bars] == pytest.approx([float(row["test_acc1"]) for row in rows])


def test_report_has_the_ladder_and_a_page_of_each_trial(frames: Frames) -> None:
    data = report_page(frames)
    assert data.parts[0].anchor == "ladder"
    assert data.data["trials"]["n"] == len(RUNGS) * len(SEEDS)
    assert all(data.data["trials"]["commands"])
    assert not data.failures
    assert data.sentences[0] in render_html(data).replace("&#39;", "'").replace("&gt;", ">")


def test_page_of_seed_sets_is_made_of_the_trained_ladder(frames: Frames) -> None:
    text = page(frames, evidence_of_sets(frames, [SEEDS]))
    assert "| 0-1 " in text
    assert all(f"| {rung.replace('_', chr(92) + '_')} " in text for rung in RUNGS)


def test_the_ladder_page_shows_the_table_that_the_demo_makes(trained_ladder: Path) -> None:
    shown = (ROOT / "docs" / "ladder.md").read_text()
    head, rule, *_ = (
        line
        for line in (trained_ladder / "results" / "ladder.md").read_text().splitlines()
        if "|" in line
    )
    squeezed = [" ".join(line.split()) for line in shown.splitlines()]
    assert " ".join(head.split()) in squeezed, f"{head}\n{rule}"


def test_the_notebook_runs_on_the_runs_of_the_demo(
    trained_ladder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_HPARAM_RUNS", str(trained_ladder / "runs"))
    notebook = jupytext.read(ROOT / "analysis" / "notebooks" / "ladder.ipynb")
    place = {"metadata": {"path": str(ROOT / "analysis" / "notebooks")}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    assert sum(bool(cell.get("outputs")) for cell in notebook.cells) >= 3
