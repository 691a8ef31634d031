"""The report: its content, escaping of text from records, and behaviour in a browser."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Ladder, Runs

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ABLATIONS, ablation_for_sweep
from clip_hparam.analysis.evidence.searches import importance
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.importing.table_files import write_trial_table
from clip_hparam.analysis.report import report, trial_pages
from clip_hparam.analysis.report.trial_pages import failure_lines
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.cli.analysis_app.analysis import main

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NASTY = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
CHECK = """<script>window.addEventListener("load", () => {
  const table = document.querySelector("table.sortable"), out = document.createElement("pre");
  const column = () => [...table.tBodies[0].rows].map(row => row.cells[AT].textContent.trim());
  const button = table.tHead.rows[0].cells[AT].querySelector("button");
  button.click(); const up = column(); button.click(); const down = column();
  out.id = "seen";
  out.textContent = JSON.stringify({up, down, hit: window.hit || 0, width: innerWidth,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth});
  document.body.append(out);
  if (parent !== window) parent.document.body.prepend(out);
});</script>"""
PHONE = 390  # px; a window of the browser itself is no narrower than 500
FRAME = '<!doctype html><body><iframe width="{}" height="800" srcdoc="{}"></iframe></body>'


@pytest.fixture(scope="session")
def report_path(ladder: Ladder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report without importance, which is slow and has its own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importance, "MIN_ROWS", 1_000)
        return report.write_report(ladder.runs.frames(), tmp_path_factory.mktemp("report"))


def test_report_loads_no_external_file(report_path: Path) -> None:
    page = report_path.read_text()
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "@import" not in page
    assert report_path.stat().st_size < 3_000_000


def test_conclusion_separates_significant_undecided_and_incomplete_cells(runs: Runs) -> None:
    cells = {"a": {"lr": 1e-3}, "b": {"lr": 2e-3}, "c": {"lr": 3e-3}, "d": {"lr": 4e-3}}
    noise = np.array([0.05, -0.04, 0.02])
    for gain, values, sign in zip((0, 2, 0.01, 5), cells.values(), (0, 1, 3, -1), strict=True):
        for seed in range(2 if gain == 5 else 3):
            runs.done(values, seed, 95 + gain + sign * noise[seed])
    runs.sweep("lr", cells, seeds=range(3))
    sentence = conclusion(runs.frames(), ABLATIONS["lr"])
    significant, noise, gap = sentence.split("; ")
    assert re.match(r"Learning rate, against a: b \+2\.01 ± [\d.]+ points", significant)
    assert noise.startswith("not distinguished from noise: c (to resolve 0.2 points, up to ")
    assert gap == "1 of 4 cells lack a run and have no result."


def test_conclusion_names_differences_significant_only_without_holm(runs: Runs) -> None:
    cells = {"a": {"lr": 1e-3}, "b": {"lr": 2e-3}, "c": {"lr": 3e-3}}
    for values, gains in zip(cells.values(), ((0, 0, 0), (1.0, 1.6, 2.2), (1, -1, 0)), strict=True):
        for seed, gain in enumerate(gains):
            runs.done(values, seed, 95 + gain)
    runs.sweep("lr", cells, seeds=range(3))
    alone, noise = conclusion(runs.frames(), ABLATIONS["lr"]).split("; ")
    assert "b +1.60 ± 1.49 points" in alone
    assert "Holm-adjusted p above 0.05" in alone
    assert noise.startswith("not distinguished from noise: c ")


def test_conclusion_names_largest_differences_first_and_counts_the_others(runs: Runs) -> None:
    cells = {f"cell {number}": {"lr": 1e-3 * number} for number in range(1, 10)}
    for number, values in enumerate(cells.values()):
        for seed, noise in enumerate((0.01, -0.01, 0.02)):
            runs.done(values, seed, 90 + number / 2 + number * noise)
    runs.sweep("many", cells, seeds=range(3))
    sentence = conclusion(runs.frames(), ablation_for_sweep("many"))
    assert re.findall(r"cell \d", sentence) == ["cell 1", *(f"cell {n}" for n in range(9, 3, -1))]
    assert "and 2 more points" in sentence


def test_report_lists_every_trial_with_its_command(ladder: Ladder, report_path: Path) -> None:
    page = report_path.read_text()
    trials = ladder.runs.frames().trials
    assert all(f"<summary>{trial_id} " in page for trial_id in trials["trial_id"])
    assert page.count("<polyline") == 2 * len(trials)
    assert "python sweep.py -m lr=0.006 mixup=0.8 cutmix=1.0 seed=0,1,2,3,4" in page
    assert "git aaaaaaa" in page


def test_failure_lines_name_the_failure(runs: Runs) -> None:
    runs.done({}, 0, 97.0)
    runs.planned({"lr": 0.5}).write_failure("diverged", "diverged", "loss is nan at step 3")
    (line,) = failure_lines(runs.frames())
    assert "lr=0.5" in line
    assert "diverged: loss is nan at step 3" in line


def test_pruned_trial_is_no_failure(runs: Runs) -> None:
    runs.done({}, 0, 97.0)
    runs.planned({"lr": 0.5}).write_status("pruned")
    frames = runs.frames()
    assert failure_lines(frames) == []
    assert "1 of 2 trials done, 1 pruned" in report.report_page(frames).subtitle


def nasty(runs: Runs) -> analysis.Frames:
    for seed in (0, 1):
        runs.done(
            {"data.name": NASTY},
            seed,
            96.0 + seed,
            command=[NASTY],
            git={"sha": NASTY, "dirty": None},
        )
        runs.done({"data.name": "b"}, seed, 97.0 + seed)
    runs.planned({"data.name": "c"}).write_failure("failed", "error", NASTY)
    runs.sweep("names", {NASTY: {"data.name": NASTY}, "b": {"data.name": "b"}}, seeds=[0, 1])
    return runs.frames()


def test_text_from_records_is_escaped(runs: Runs) -> None:
    page = report.render_html(report.report_page(nasty(runs)))
    assert page.count("<script") == 1
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x") >= 5


def test_trials_beyond_the_limit_are_counted(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_pages, "MAX_PAGES", 10)
    monkeypatch.setattr(importance, "MIN_ROWS", 1_000)
    page = report.render_html(report.report_page(ladder.runs.frames()))
    assert page.count("<summary>") - page.count("<summary>Commands") == 10 + 1
    assert "25 more are on record" in page


def test_report_has_folded_accuracy_by_class(report_path: Path) -> None:
    page = report_path.read_text()
    assert "<summary>The fine-tuning ladder: accuracy by class</summary>" in page


def test_report_of_imported_table(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"lr": draw.random(20), "aug": draw.choice(["a", "b"], 20)})
    rows["top1"] = rows["lr"] + draw.normal(0, 0.1, 20)
    (tmp_path / "t.csv").write_text(rows.to_csv(index=False))
    write_trial_table(
        to_trial_table(rows, ["lr", "aug"], [], "top1"), tmp_path / "t.csv", tmp_path / "kept"
    )
    assert main(["report", "--runs", str(tmp_path / "kept"), "--out", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "highest top1" in page
    assert "importance by ped-anova" in page


def seen(page: str, folder: Path, at: int) -> dict[str, object]:
    """Return the state of the page in a real browser of phone width, and its console output."""
    checked = page + CHECK.replace("AT", str(at))
    (folder / "page.html").write_text(FRAME.format(PHONE, html.escape(checked)))
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,900",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom",
        "--enable-logging=stderr",
        (folder / "page.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=True)
    (found,) = re.findall(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return {**json.loads(html.unescape(found)), "console": console}


browser = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine"
)


@browser
def test_browser_sorts_tables_and_page_fits_a_phone(report_path: Path, tmp_path: Path) -> None:
    found = seen(report_path.read_text(), tmp_path, 2)
    up = [float(str(text).split()[0]) for text in found["up"]]  # type: ignore[attr-defined]
    assert up == sorted(up)
    assert len(set(up)) == 7
    assert found["down"] == found["up"][::-1]  # type: ignore[index]
    assert (found["console"], found["width"], found["wide"]) == ([], PHONE, 0)


@browser
def test_browser_check_detects_console_errors(tmp_path: Path) -> None:
    """Errors of a broken page appear, so an empty console means that there are none."""
    page = '<table class="sortable"><thead><tr><th><button>a</button></th></tr></thead>'
    page += "<tbody></tbody></table><script>console.error('seen'); nothing.at.all</script>"
    console = seen(page, tmp_path, 0)["console"]
    assert len(console) == 2  # type: ignore[arg-type]


@browser
def test_browser_runs_no_script_from_records(runs: Runs, tmp_path: Path) -> None:
    found = seen(report.render_html(report.report_page(nasty(runs))), tmp_path, 0)
    assert (found["hit"], found["console"]) == (0, [])
    assert NASTY in found["up"]  # type: ignore[operator]
