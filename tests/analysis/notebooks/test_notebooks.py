"""The notebooks have outputs, run from their own folder, and .py and .ipynb have the same cells."""

import re
import shutil
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from support.cli import ROOT
from support.trial_factory import Runs, write_ladder

from clip_hparam import analysis

FOLDER = ROOT / "analysis" / "notebooks"
NOTEBOOKS = ("ladder", "knob_curves", "is_it_real", "bring_your_own", "choose_by_search")
FIGURES = {
    "ladder": 2,
    "knob_curves": 2,
    "is_it_real": 2,
    "bring_your_own": 4,
    "choose_by_search": 4,
}
SHOWN_TEXT = {
    "ladder": "Δ to the rung before",
    "knob_curves": "Δ to the first",
    "is_it_real": "seeds for a power of 0.8 at 0.2 points:",
    "bring_your_own": "varied together, so their effects cannot be separated: mixup, cutmix",
    "choose_by_search": "the winner loses **",
}
MAX_BYTES = 300_000


def texts(outputs: list[NotebookNode]) -> str:
    """Return everything that the outputs show as text."""
    shown = [output.get("data", {}) for output in outputs]
    parts = [data.get(kind, "") for data in shown for kind in ("text/markdown", "text/plain")]
    return "\n".join([*parts, *(output.get("text", "") for output in outputs)])


def n_pictures(outputs: list[NotebookNode]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)


def write_runs(folder: Path) -> Runs:
    """Write synthetic records of all sweeps that the notebooks read."""
    runs = Runs(folder / "runs")
    write_ladder(runs)
    levels = {f"lr={lr}": {"lr": lr} for lr in (1e-4, 3e-4, 1e-3)}
    for number, values in enumerate(levels.values()):
        for seed, noise in enumerate((0.1, -0.1, 0.05)):
            runs.done(values, seed, 95 + number + noise)
    runs.sweep("lr", levels, seeds=range(3))
    return runs


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[NotebookNode]]:
    """Run all notebooks in one kernel (its start takes seconds): name -> outputs.

    `%reset -f` clears the names between two notebooks. Two of them read synthetic records, the
    others the records that come with them.
    """
    runs = write_runs(tmp_path_factory.mktemp("notebooks"))
    combined = nbformat.v4.new_notebook()
    parts = {}
    for name in NOTEBOOKS:
        own = str(runs.folder) if name in ("ladder", "knob_curves") else ""
        parts[name] = jupytext.read(FOLDER / f"{name}.py").cells
        start = f"%reset -f\nimport os\nos.environ['CLIP_HPARAM_RUNS'] = {own!r}"
        combined.cells += [nbformat.v4.new_code_cell(start), *parts[name]]
    place = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(combined, timeout=300, kernel_name="python3", resources=place).execute()
    return {
        name: [output for cell in cells for output in cell.get("outputs", [])]
        for name, cells in parts.items()
    }


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(executed: dict[str, list[NotebookNode]], name: str) -> None:
    assert n_pictures(executed[name]) == FIGURES[name]
    assert SHOWN_TEXT[name] in texts(executed[name])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_stored_notebook_has_the_outputs_of_one_run(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {
        "stream",
        "display_data",
        "execute_result",
    }
    assert not any(output.get("name") == "stderr" for output in outputs)
    assert n_pictures(outputs) == FIGURES[name]
    assert SHOWN_TEXT[name] in texts(outputs)
    assert not re.search(r"/(tmp|home|root|work|usr)/", texts(outputs))
    assert "Interval(" not in texts(outputs)
    assert (FOLDER / f"{name}.ipynb").stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_both_forms_have_the_same_cells(name: str) -> None:
    script = jupytext.read(FOLDER / f"{name}.py")
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in script.cells
    ]


def test_the_notebooks_are_numbered_and_the_first_links_the_others() -> None:
    scripts = {name: (FOLDER / f"{name}.py").read_text() for name in NOTEBOOKS}
    for number, text in enumerate(scripts.values(), 1):
        assert re.search(r"^# # \d\.", text, re.MULTILINE).group() == f"# # {number}."  # type: ignore[union-attr]
    for name in NOTEBOOKS[1:]:
        assert f"({name}.ipynb)" in scripts["ladder"]


@pytest.mark.parametrize(("name", "trials"), [("ladder", 70), ("lr", 15)])
def test_records_of_the_notebooks_are_complete_and_name_no_computer(
    name: str, trials: int, tmp_path: Path
) -> None:
    archive = FOLDER / f"{name}_records.tar.xz"
    assert archive.stat().st_size <= MAX_BYTES
    shutil.unpack_archive(archive, tmp_path, filter="data")
    frames = analysis.load(tmp_path)
    assert frames.problems == []
    assert len(frames.trials) >= trials
    assert set(frames.trials["status"]) <= {"done", "pruned"}
    planned = {trial for sweep in frames.sweeps for trial in sweep.trial_ids}
    assert planned == set(frames.trials["trial_id"])
    for path in tmp_path.rglob("*.json"):
        assert not re.search(r'"/|=/|"host"', path.read_text()), path
