"""Run the notebooks on the records in the same folder, and write each .ipynb with its outputs.

    make notebooks                                          # all
    python analysis/notebooks/write_outputs.py is_it_real   # one

The .py files are the source. Times and the version of Python, which differ between machines, are
left out of the .ipynb. Pictures get 128 colours, which makes them a third as large.
"""

import base64
import io
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).parent
NOTEBOOKS = ("ladder", "knob_curves", "is_it_real", "bring_your_own", "choose_by_search")
MAX_BYTES = 300_000  # limit of a file in the repository


def execute(name: str) -> NotebookNode:
    """Run a notebook in its own folder and return it with its outputs."""
    notebook = jupytext.read(FOLDER / f"{name}.py")
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute()
    notebook.metadata.pop("language_info", None)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{name}-{number}"
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = with_fewer_colours(output.data["image/png"])
    return notebook


def with_fewer_colours(encoded: str) -> str:
    """Return a picture with a palette of 128 colours; both are PNG in base64."""
    picture = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
    content = io.BytesIO()
    picture.quantize(128, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return base64.b64encode(content.getvalue()).decode()


def main() -> int:
    """Write the notebooks that are named, else all; return 1 if one is too large."""
    code = 0
    for name in sys.argv[1:] or NOTEBOOKS:
        path = FOLDER / f"{name}.ipynb"
        text = nbformat.writes(execute(name)) + "\n"
        path.write_text(text)
        print(f"{path.name}: {len(text) / 1000:.0f} kB")
        code = max(code, int(len(text) > MAX_BYTES))
    return code


if __name__ == "__main__":
    sys.exit(main())
