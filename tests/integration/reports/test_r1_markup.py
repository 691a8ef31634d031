"""Labels and knobs' texts are text in each table, figure and report."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from support.cli import clip_hparam
from support.trial_factory import Runs

from clip_hparam.analysis.figures import registry

LABELS = {
    "[small]*": {"data.name": "$x_1$ and $y$", "lr": 1e-3},
    "<script>alert(1)</script>": {"data.name": "<img src=x onerror=a()>", "lr": 2e-3},
    r"\input{/etc/passwd} 50%": {"data.name": r"\end{tabular}", "lr": 3e-3},
    "$a$ & $b_c$ # ~ ^ {": {"data.name": "[/bold] x", "lr": 4e-3},
    "[link=file:///x]y[/link]": {"data.name": "学习 é", "lr": 5e-3},
}


@pytest.fixture
def hostile(tmp_path: Path) -> Runs:
    """Write a sweep whose labels and data sets are markup of all kinds."""
    runs = Runs(tmp_path / "runs")
    for number, values in enumerate(LABELS.values()):
        for seed in (0, 1):
            runs.done(values, seed, 90.0 + number + 0.1 * seed)
    runs.sweep("markup", LABELS, seeds=[0, 1])
    return runs


def test_tables_hold_labels_as_text(hostile: Runs, tmp_path: Path) -> None:
    done = clip_hparam("tables", "--runs", hostile.folder, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.code == 0, done.err
    tex = "\n".join(path.read_text() for path in (tmp_path / "out").rglob("*.tex"))
    assert r"{[}small{]}{*}" in tex
    assert r"\textbackslash{}input\{/etc/passwd\} 50\%" in tex
    assert r"\$a\$ \& \$b\_c\$ \# \textasciitilde{} \textasciicircum{} \{" in tex
    assert not re.search(r"\\\\\s*[\[*]", tex), "a row begins like an option of \\\\"
    assert not re.search(r"(?<!\\)\\input", tex)
    page = "\n".join(path.read_text() for path in (tmp_path / "out").rglob("*.html"))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    markdown = "\n".join(path.read_text() for path in (tmp_path / "out").rglob("*.md"))
    assert r"\[small\]\*" in markdown
    assert r"\$a\$ \& \$b\_c\$ # \~ ^ {" in markdown


def texts(figure: Figure) -> Iterator[Text]:
    yield from figure.findobj(Text)  # type: ignore[misc]


def test_figures_draw_no_label_as_mathematics(hostile: Runs) -> None:
    frames, drawn = hostile.frames(), 0
    for name in registry.default_figures(frames):
        figure = registry.plot_figure(frames, name)
        figure.canvas.draw()
        for text in texts(figure):
            if any(mark in text.get_text() for mark in ("a$", "x_1", "script", "small")):
                shown, is_math = text._preprocess_math(text.get_text())  # type: ignore[attr-defined]
                assert not is_math, text.get_text()
                assert "\\$" not in shown
                drawn += 1
    assert drawn >= 4


def test_report_and_terminal_show_labels_as_text(hostile: Runs, tmp_path: Path) -> None:
    done = clip_hparam("report", "--runs", hostile.folder, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.code == 0, done.err
    page = "\n".join(path.read_text() for path in (tmp_path / "out").rglob("*.html"))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    for words in (["status"], ["compare", "markup/[small]*", "markup/$a$ & $b_c$ # ~ ^ {"]):
        shown = clip_hparam(*words, "--runs", hostile.folder, cwd=tmp_path)
        assert "Traceback" not in shown.err
        assert shown.code in (0, 4), shown.err
