"""The report: its content, its limits, and the escaping of text from records."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.report_data import report_column, report_data
from support.trial_factory import Ladder, Runs

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ABLATIONS, ablation_for_sweep
from clip_hparam.analysis.evidence.searches import importance
from clip_hparam.analysis.frames.frame import reported_values
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.importing.table_files import write_trial_table
from clip_hparam.analysis.report import report
from clip_hparam.analysis.report.failures import failure_lines
from clip_hparam.analysis.report.page import trials
from clip_hparam.analysis.report.page.assets import read_assets
from clip_hparam.analysis.report.sections import sweep_section
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.cli.analysis_app.analysis import main

NASTY = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'


@pytest.fixture(scope="session")
def report_path(ladder: Ladder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report without importance, which is slow and has its own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importance, "MIN_ROWS", 1_000)
        return report.write_report(ladder.runs.frames(), tmp_path_factory.mktemp("report"))


def test_report_loads_no_external_file(report_path: Path) -> None:
    page = report_path.read_text().replace(read_assets().echarts, "")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert not re.findall(r"https?://(?!arxiv)", page)
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
    assert gap == "1 of 4 cells have missing runs and no result."


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


def test_report_has_every_trial_with_its_numbers(ladder: Ladder, report_path: Path) -> None:
    page = report_path.read_text()
    frames = ladder.runs.frames()
    assert report_column(page, "trial_id") == frames.trials["trial_id"].to_list()
    accuracies = reported_values(frames.trials).to_list()
    assert report_column(page, "test_acc1") == pytest.approx(accuracies, abs=1e-4)
    assert report_column(page, "lr") == frames.trials["lr"].to_list()
    lengths = [len(curve) for curve in report_data(page)["curves"]["metrics"][0]["values"]]
    assert lengths == frames.trials["epochs"].to_list()


def test_summary_has_the_papers_difference_beside_each_step(report_path: Path) -> None:
    text = report_path.read_text(encoding="utf-8")
    for difference in ("+2.0", "+0.3", "+0.7", "\N{MINUS SIGN}0.1", "+0.5", "+0.9"):
        assert text.count(f"(paper {difference}") == 1


def test_report_lists_the_commands(report_path: Path) -> None:
    page = report_path.read_text()
    assert all(report_data(page)["trials"]["commands"])
    assert "python sweep.py -m lr=0.006 mixup=0.8 cutmix=1.0 seed=0,1,2,3,4" in page
    assert "git aaaaaaa" in page


def test_commands_outside_a_checkout_are_those_of_the_installed_program(
    ladder: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importance, "MIN_ROWS", 1_000)
    frames = ladder.runs.frames()
    commands = dict.fromkeys(frames.trials["trial_id"], ("lr=1",))
    page = report.write_report(frames, tmp_path / "results", commands).read_text()
    assert "clip-hparam sweep -m lr=1 seed=0,1,2,3,4" in page
    assert set(report_data(page)["trials"]["commands"]) == {"clip-hparam sweep lr=1"}
    assert "python sweep.py" not in page


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
    assert page.count("<script") == 3  # data, library, page
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x") >= 5
    assert NASTY in report_column(page, "data.name")


def test_trials_beyond_the_limit_are_counted(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "MAX_TRIALS", 10)
    monkeypatch.setattr(importance, "MIN_ROWS", 1_000)
    data = report.report_page(ladder.runs.frames()).data
    assert (data["trials"]["n"], data["trials"]["more"]) == (10, 25)
    assert {len(column.get("values") or column.get("codes") or column["texts"])
            for column in data["trials"]["columns"]} == {10}  # fmt: skip


def test_report_has_folded_accuracy_by_class(report_path: Path) -> None:
    page = report_path.read_text()
    assert "<summary>Accuracy by class</summary>" in page


def test_commands_of_cells_have_their_levels_where_a_trial_was_typed_without(runs: Runs) -> None:
    """A trial of the default lr was typed alone; the command of its cell names the lr."""
    for lr in (1e-3, 2e-3):
        for seed in (0, 1):
            runs.done({"lr": lr}, seed, 95.0)
    runs.sweep("own", {"a": {"lr": 1e-3}, "b": {"lr": 2e-3}}, seeds=range(2))
    frames = runs.frames()
    alone, second = frames.sweeps[0].cells[0].trials.values()
    commands = {alone: ["epochs=6"], second: ["epochs=6", "lr=0.001", "seed=1"]}
    section = sweep_section(frames, ablation_for_sweep("own"), commands)
    assert section.commands.splitlines()[0].endswith(" -m epochs=6 lr=0.001 seed=0,1")


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
