"""The notebooks run from top to bottom, and .py and .ipynb have the same cells."""

from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from support.trial_factory import Runs, write_ladder

NOTEBOOKS = sorted((Path(__file__).parents[3] / "analysis" / "notebooks").glob("*.py"))
FIGURES = {"ladder": 2, "knob_curves": 2, "is_it_real": 1, "bring_your_own": 4}
PRINTED_TEXT = {
    "ladder": "Δ to the rung before",
    "knob_curves": "Δ to the first",
    "is_it_real": "seeds for a power of 0.8 at 0.2 points:",
    "bring_your_own": "importance by ped-anova",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[NotebookNode]]:
    """Run all notebooks in one kernel (its start takes seconds): name -> outputs.

    `%reset -f` clears the names between two notebooks.
    """
    runs = Runs(tmp_path_factory.mktemp("notebooks") / "runs")
    write_ladder(runs)
    levels = {f"lr={lr}": {"lr": lr} for lr in (1e-4, 3e-4, 1e-3)}
    for number, values in enumerate(levels.values()):
        for seed, noise in enumerate((0.1, -0.1, 0.05)):
            runs.done(values, seed, 95 + number + noise)
    runs.sweep("lr", levels, seeds=range(3))
    combined = nbformat.v4.new_notebook()
    parts = {}
    for path in NOTEBOOKS:
        parts[path.stem] = jupytext.read(path).cells
        combined.cells += [nbformat.v4.new_code_cell("%reset -f"), *parts[path.stem]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIP_HPARAM_RUNS", str(runs.folder))
        NotebookClient(combined, timeout=300, kernel_name="python3").execute()
    return {
        name: [output for cell in cells for output in cell.get("outputs", [])]
        for name, cells in parts.items()
    }


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_a_notebook_runs(executed: dict[str, list[NotebookNode]], name: str) -> None:
    outputs = executed[name]
    shown = [output.get("data", {}) for output in outputs]
    assert sum("image/png" in data for data in shown) == FIGURES[name]
    texts = [data.get("text/markdown", "") for data in shown]
    texts += [output.get("text", "") for output in outputs]
    assert any(PRINTED_TEXT[name] in text for text in texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_both_forms_have_the_same_cells_and_no_outputs(path: Path) -> None:
    script = jupytext.read(path)
    notebook = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in script.cells
    ]
    assert not any(cell.get("outputs") for cell in notebook.cells)
