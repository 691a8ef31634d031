"""The table of a sweep in all formats: numbers, escapes, emphasis, footnotes."""

import csv
import io
import itertools
import os
import re
import shutil
import subprocess
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.trial_factory import RUNGS, Ladder, Runs, ladder_cells, write_ladder

from clip_hparam.analysis.evidence.ablations import ABLATIONS, ablation_for_sweep
from clip_hparam.analysis.evidence.replicates import NotSweptError
from clip_hparam.analysis.tables import render
from clip_hparam.analysis.tables.cell_table import Table, cell_table
from clip_hparam.analysis.tables.registry import table_names, tables_of

REQUIRED = {
    *("rung", "n", "test_acc1", "ci_low", "ci_high", "delta", "delta_low", "delta_high"),
    *("seconds", "paper_acc1", "paper_delta", "sign_agrees"),
}
NASTY = r"50% & <b>_{x}~^\|*`[1](u)"
STEP = "Δ to the rung before"


@pytest.fixture(scope="module")
def table(ladder: Ladder) -> Table:
    return cell_table(ladder.runs.frames(), ABLATIONS["ladder"])


class Cells(HTMLParser):
    """The rows of text cells and the tags of an HTML page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.inside = tag in {"td", "th"}
        if tag == "tr":
            self.rows.append([])
        elif self.inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def markdown_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in row] for row in cells]


def nasty(runs: Runs) -> Table:
    """Return the table of a sweep whose label and knob value hold reserved characters."""
    for seed, values in ((seed, {"data.name": name}) for seed in (0, 1) for name in ("a", NASTY)):
        runs.done(values, seed, 96.0 + seed)
    runs.sweep("names", {"a": {"data.name": "a"}, NASTY: {"data.name": NASTY}}, seeds=[0, 1])
    return cell_table(runs.frames(), ablation_for_sweep("names"))


def test_csv_has_one_row_per_rung_and_required_columns(table: Table) -> None:
    rows = list(csv.DictReader(io.StringIO(render.to_csv(table))))
    assert [row["rung"] for row in rows] == list(RUNGS)
    assert set(rows[0]) >= REQUIRED
    assert [row["sign_agrees"] for row in rows] == ["", *["True"] * 6]
    assert float(rows[3]["test_acc1"]) == table.data["test_acc1"].iloc[3]
    assert rows[0]["delta"] == ""


def test_all_formats_show_the_same_cells(table: Table) -> None:
    shown = table.shown.to_numpy().tolist()
    in_page = Cells(render.to_html(table)).rows[1:]
    in_markdown = markdown_rows(render.to_markdown(table))[2:]
    assert in_page == shown
    assert [[cell.replace("**", "") for cell in row] for row in in_markdown] == shown
    assert render.to_latex(table).count(r" \\") == len(shown) + 1


def test_shown_numbers_are_rounded_data(table: Table) -> None:
    row, text = table.data.iloc[4], table.shown.iloc[4]
    half = (row["ci_high"] - row["ci_low"]) / 2
    assert text["test accuracy, %"] == f"{row['test_acc1']:.2f} ± {half:.2f}"
    assert text[STEP].startswith(f"{row['delta']:+.2f}".replace("-", "\N{MINUS SIGN}"))
    assert text["paper Δ"] == "\N{MINUS SIGN}0.1"


def test_only_differences_that_exclude_zero_are_bold(runs: Runs) -> None:
    cells = {
        "baseline": {"lr": 6e-3},
        "lower_lr": {"lr": 1e-3},
        "ema": {"lr": 1e-3, "ema_decay": 0.98},
        "llrd": {"lr": 1e-3, "ema_decay": 0.98, "layer_decay": 0.65},
    }
    for seed, noise in enumerate((-0.3, 0.2, -0.1, 0.25)):
        accuracies = (96 + noise / 20, 98 - noise / 20, 98 + noise, 94 + noise / 2)
        for values, acc1 in zip(cells.values(), accuracies, strict=True):
            runs.done(values, seed, acc1 + 0.02 * seed)
    runs.sweep("ladder", cells, seeds=range(4))
    table = cell_table(runs.frames(), ABLATIONS["ladder"])
    assert table.data["delta"].iloc[2] > 0
    assert list(table.bold[STEP]) == [False, True, False, True]
    assert table.bold.to_numpy().sum() == 2
    assert list(table.shown["sign agrees"]) == ["", "yes", "(yes)", "no"]
    bold = [line for line in render.to_markdown(table).splitlines() if "|" in line and "**" in line]
    assert [line.split()[1] for line in bold] == [r"lower\_lr", "llrd"]
    assert render.to_latex(table).count(r"\textbf{") == 2
    column = table.shown.columns.get_loc(STEP)
    rule = rf"#T_ladder_row1_col{column}, #T_ladder_row3_col{column} {{\s*font-weight: bold"
    assert re.search(rule, render.to_html(table))


def test_incomplete_cell_has_no_mean(runs: Runs) -> None:
    write_ladder(runs, skip=(("ema", 0), ("ema", 1), ("ema", 4)))
    table = cell_table(runs.frames(), ABLATIONS["ladder"])
    row = table.shown.set_index("rung").loc["ema"]
    assert row["test accuracy, %"] == "— (2 of 5)"
    assert row["seeds"] == "2 of 5"
    assert row[STEP] == table.shown.set_index("rung").loc["llrd", STEP] == "—"
    assert any("ema: 2 of 5 runs are done" in note for note in table.notes)
    assert table.notes[0].startswith("32 of 35 runs")


def test_footnotes_state_runs_selection_intervals_and_data(table: Table) -> None:
    text = " ".join(table.notes)
    for fact in (
        *("35 of 35 runs", "ladder-0", "git aaaaaaa", "selected epoch", "held-out", "EMA weights"),
        *("95 % t interval", "paired by seed", "Cumulative, not re-tuned", "signs, not sizes"),
        *(
            "encoder tiny on digits (20 images per class)",
            "arXiv 2212.06138",
            "Zero-shot, before fine-tuning: 41.2 %.",
        ),
    ):
        assert fact in text


def test_uncommitted_code_and_other_code_are_named(runs: Runs) -> None:
    runs.git = {"sha": "a" * 40, "dirty": "d" * 64}
    write_ladder(runs, skip=(("ema", 2),))
    runs.done(ladder_cells()["ema"], 2, 97.0, git={"sha": None, "dirty": None})
    table = cell_table(runs.frames(), ABLATIONS["ladder"])
    assert "git aaaaaaa with uncommitted changes, git unknown" in table.notes[0]
    assert list(table.shown["differs"]) == ["", "", "code", "", "", "", ""]
    assert any(note.startswith("ema: code not as in most") for note in table.notes)


def test_one_seed_has_a_note_that_its_interval_is_over_images(runs: Runs) -> None:
    runs.done({}, 0, 97.0)
    runs.sweep("ladder", {"baseline": {}}, seeds=[0])
    table = cell_table(runs.frames(), ABLATIONS["ladder"])
    assert table.shown["test accuracy, %"].iloc[0] == "97.00 ± 0.84"  # over test images
    assert any(note.startswith("One seed: ± is half of the 95 %") for note in table.notes)


def test_gpu_hours_replace_seconds_where_a_gpu_was_used(runs: Runs) -> None:
    runs.done({}, 0, 97.0, cost={"seconds": 7200.0, "gpu_hours": 2.0})
    runs.sweep("ladder", {"baseline": {}}, seeds=[0])
    assert cell_table(runs.frames(), ABLATIONS["ladder"]).shown["cost, GPU-h"].iloc[0] == "2.00"


def test_text_from_records_is_escaped(runs: Runs) -> None:
    table = nasty(runs)
    page = Cells(render.to_html(table))
    assert NASTY in page.rows[2]
    assert "b" not in page.tags
    assert NASTY in markdown_rows(render.to_markdown(table))[3]
    escaped = r"50\% \& \textless{}b\textgreater{}\_\{x\}\textasciitilde{}\textasciicircum{}"
    escaped += r"\textbackslash{}\textbar{}{*}`"
    assert escaped in render.to_latex(table)


@pytest.mark.skipif(
    not shutil.which("pdflatex") and "CI" not in os.environ, reason="no LaTeX on this machine"
)
def test_latex_compiles_every_kind_of_table(runs: Runs, tmp_path: Path) -> None:
    write_ladder(runs)
    full = {"none": {}, "lr": {"lr": 1e-2}, "mixup": {"mixup": 0.5}}
    full["lr+mixup"] = full["lr"] | full["mixup"]
    for number, (values, seed) in enumerate(itertools.product(full.values(), (0, 1))):
        runs.done(values, seed, 90 + number**2 / 10)
    runs.sweep("factorial", full, [0, 1])
    tables = [nasty(runs)]
    frames = runs.frames()
    for name in table_names(frames):
        with suppress(NotSweptError):
            tables += tables_of(frames, name)
    kinds = {"names", "ladder", "ladder_classes", "factorial", "factorial_effects"}
    assert {table.name for table in tables} >= kinds | {"factorial_orders", "systems"}
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
    body = "\n".join(map(render.to_latex, tables))
    (tmp_path / "t.tex").write_text(head + body + "\\end{document}\n")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_written_files_are_reproducible(ladder: Ladder, tmp_path: Path) -> None:
    def written() -> list[bytes]:
        table = cell_table(ladder.runs.frames(), ABLATIONS["ladder"])
        return [path.read_bytes() for path in render.write_table(table, tmp_path)]

    assert written() == written()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"ladder.{suffix}" for suffix in ("csv", "html", "md", "tex")
    ]


def test_sweep_without_ablation_has_no_paper_columns(runs: Runs) -> None:
    table = nasty(runs)
    assert table.title == "Sweep names"
    assert not any("paper" in title for title in table.shown)
    assert "Δ to the first" in table.shown


def test_knob_table_is_sorted_by_level(runs: Runs) -> None:
    cells = {f"lr={lr:g}": {"lr": lr} for lr in (1e-3, 1e-2, 1e-4)}
    for values in cells.values():
        for seed in range(2):
            runs.done(values, seed, 96.0 + seed)
    runs.sweep("lr", cells, seeds=[0, 1])
    table = cell_table(runs.frames(), ablation_for_sweep("lr"))
    assert list(table.shown["lr"]) == ["0.0001", "0.001", "0.01"]
    alike = "all 2 seeds alike: no interval"
    assert list(table.data["delta_why"]) == [alike, "first row", alike]


@pytest.mark.parametrize("knobs", [("epochs", "mixup"), ("lr", "epochs"), ("mixup",)])
def test_changes_are_not_repeated_where_the_labels_give_the_levels(
    knobs: tuple[str, ...], runs: Runs
) -> None:
    cells = {
        ",".join(f"{name}={level}" for name in knobs): dict.fromkeys(knobs, level)
        for level in (1, 2)
    }
    for values in cells.values():
        runs.done(values, 0, 95.0)
    runs.sweep("ladder", cells, seeds=[0])
    table = cell_table(runs.frames(), ABLATIONS["ladder"])
    assert "what changed" not in table.shown
    assert table.data["changed"].iloc[1].startswith(f"{knobs[0]} 1 → 2")
    runs.sweep("ladder", {"first": cells[next(iter(cells))], "second": values}, seeds=[0])
    table = cell_table(runs.frames(), ABLATIONS["ladder"])
    assert table.shown["what changed"].iloc[1].startswith(f"{knobs[0]} 1 → 2")
